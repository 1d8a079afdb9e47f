"""Does the code keep the rules that no linter knows?"""
