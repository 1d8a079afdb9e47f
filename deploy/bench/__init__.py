"""How fast is it here, beside a named alternative, with every guarantee on?"""
