"""One method or model against others, column by column: is it better, and would more samples tell?"""
