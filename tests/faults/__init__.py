"""What is left of the promises when the machine breaks off in the middle?"""
