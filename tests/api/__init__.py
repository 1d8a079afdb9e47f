"""What does the API answer, to whom, and what does each answer leave behind?"""
