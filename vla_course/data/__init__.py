"""Episodes, their files, the torch Dataset, statistics, and tokenizers."""
