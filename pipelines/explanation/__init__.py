"""Explanation: what a contender's answers hang on, column by column, word by word, place by place."""
