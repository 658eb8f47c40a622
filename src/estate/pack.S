// The shipped rule pack, embedded as text, in the order in which its rules are tried. pack.cc lists the same names.
    .section .rodata

.macro pack_file symbol, path
    .global flyball_pack_\symbol
    .global flyball_pack_\symbol\()_end
flyball_pack_\symbol:
    .incbin "\path"
flyball_pack_\symbol\()_end:
    .byte 0
.endm

    pack_file providers, "pack/providers.yaml"
    pack_file tags, "pack/tags.yaml"
    pack_file models, "pack/models.yaml"
    pack_file charges, "pack/charges.yaml"
    pack_file vendors, "pack/vendors.yaml"
    pack_file aws, "pack/aws.yaml"
    pack_file azure, "pack/azure.yaml"
    pack_file google, "pack/google.yaml"
    pack_file oracle, "pack/oracle.yaml"
    pack_file data, "pack/data.yaml"
    pack_file selfhosted, "pack/selfhosted.yaml"
    pack_file words, "pack/words.yaml"
    pack_file focus, "pack/focus.yaml"

    .section .note.GNU-stack,"",%progbits
