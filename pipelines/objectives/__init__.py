"""What is learned: the loss that the training core sees, the predictions and scores that evaluation sees."""
