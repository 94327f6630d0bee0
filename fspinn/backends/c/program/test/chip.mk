
# make fits-@first@   link the network alone into @hardware@: @flash@ bytes of flash, @ram@ of RAM, @stack@ of them stack.
#                        The linker refuses what is too large. Others of CHIPS do so with their code.
#                        Tests on emulated chips of its kind (@kind@) do so first.
CHIPS = cortex-m0 cortex-m4 riscv atmega328p attiny85
CHIP_C = $(NAME).o chip.o

.PHONY: $(addprefix fits-, $(CHIPS))
$(foreach chip, @kind@, $(eval test-$(chip): fits-$(chip)))
$(addprefix fits-, $(CHIPS)): fits-%: %/chip.elf

cortex-m0/chip.elf: $(addprefix cortex-m0/, $(CHIP_C) start_cortex_m.o) test/chip.ld
	$(ARM)gcc $(CORTEX_M0) $(LINK) -T test/chip.ld $(filter %.o, $^) -lgcc -o $@

cortex-m4/chip.elf: $(addprefix cortex-m4/, $(CHIP_C) start_cortex_m.o) test/chip.ld
	$(ARM)gcc $(CORTEX_M4) $(LINK) -T test/chip.ld $(filter %.o, $^) -lgcc -o $@

riscv/chip.elf: $(addprefix riscv/, $(CHIP_C) start_riscv.o) test/chip.ld
	$(RISCV)gcc $(RV32) $(LINK) -T test/chip.ld $(filter %.o, $^) -lgcc -o $@

atmega328p/chip.elf: RAM_BEGINS = 0x800100
attiny85/chip.elf: RAM_BEGINS = 0x800060
atmega328p/chip.elf attiny85/chip.elf: %/chip.elf: $(addprefix %/, $(CHIP_C))
	$(AVR)gcc -mmcu=$* $(AVR_FLAGS) -Wl,--defsym=__TEXT_REGION_LENGTH__=@flash@ \
		-Wl,--defsym=__DATA_REGION_ORIGIN__=$(RAM_BEGINS) -Wl,--defsym=__DATA_REGION_LENGTH__=@static@ $^ -o $@
