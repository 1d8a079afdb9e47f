"""Which questions are answered from the events, and how is each answer rebuilt?"""
