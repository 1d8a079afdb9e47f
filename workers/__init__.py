"""What happens in the background, after an event and without anybody waiting?"""
