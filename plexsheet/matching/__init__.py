"""Ratings from elsewhere: lists of other players, and their songs found in a library."""
