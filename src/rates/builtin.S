// The list of prices that comes with the program, embedded as text.
    .section .rodata
    .global flyball_builtin_prices
    .global flyball_builtin_prices_end
flyball_builtin_prices:
    .incbin "builtin.json"
flyball_builtin_prices_end:
    .byte 0
    .section .note.GNU-stack,"",%progbits
