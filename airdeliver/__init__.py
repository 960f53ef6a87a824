"""airdeliver: which neural network arrives, and how good is it, when its parameters are sent over a radio link?"""
