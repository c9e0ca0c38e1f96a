"""The process in which strangers' files are parsed: started clean, shut in, ended when it takes too much."""
