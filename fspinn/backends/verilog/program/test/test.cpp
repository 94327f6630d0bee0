// Shows the samples to the core, pixel by pixel, and compares every output spike and class with the integer
// engine's. Counts the cycles that a sample takes, as long as pixels never keep the core waiting.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vnetwork.h"
#include "tested.h"

namespace {

struct Spike {
    uint32_t position, neuron, step;
};

void read(void *to, size_t bytes)
{
    if (fread(to, 1, bytes, stdin) != bytes) {
        fprintf(stderr, "the samples end too early\n");
        exit(2);
    }
}

uint32_t read_number()
{
    uint8_t bytes[4];
    read(bytes, sizeof bytes);
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

void tick(Vnetwork &core)
{
    core.clk = 0;
    core.eval();
    core.clk = 1;
    core.eval();
}

}

int main()
{
    Vnetwork core;
    uint32_t samples = read_number(), spikes = 0, wrong_spikes = 0, wrong_classes = 0;
    uint64_t cycles = 0, most = 0;
    core.pixel_valid = 0;
    core.reset = 1;
    tick(core);
    core.reset = 0;
    for (uint32_t number = 0; number < samples; number++) {
        uint8_t pixels[PIXELS];
        read(pixels, sizeof pixels);
        std::vector<Spike> expected(read_number());
        for (Spike &one : expected) {
            one.position = read_number();
            one.neuron = read_number();
            one.step = read_number();
        }
        int32_t expected_class = static_cast<int32_t>(read_number());

        uint32_t shown = 0, found = 0, limit = 100000000;
        uint64_t took = 0;
        core.eval();
        while (!core.answered && took < limit) {
            core.pixel_valid = shown < PIXELS;
            core.pixel = shown < PIXELS ? pixels[shown] : 0;
            shown += core.pixel_valid && core.pixel_ready;
            if (core.spike) {
                if (found >= expected.size() || core.spike_position != expected[found].position ||
                    core.spike_neuron != expected[found].neuron || core.spike_step != expected[found].step) {
                    wrong_spikes++;
                }
                found++;
            }
            tick(core);
            took++;
        }
        wrong_spikes += found < expected.size() ? static_cast<uint32_t>(expected.size()) - found : 0;
        wrong_classes += !core.answered || (core.none ? -1 : static_cast<int32_t>(core.answer)) != expected_class;
        spikes += static_cast<uint32_t>(expected.size());
        core.pixel_valid = 0;
        tick(core);
        took++;
        cycles += took;
        most = took > most ? took : most;
    }
    printf("%u samples, %u output spikes: %u spikes and %u classes differ\n", samples, spikes, wrong_spikes,
           wrong_classes);
    printf("cycles %.1f, at most %llu\n", static_cast<double>(cycles) / samples,
           static_cast<unsigned long long>(most));
    return wrong_spikes != 0 || wrong_classes != 0;
}
