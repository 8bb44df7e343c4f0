#include "Processor.h"

#include <ATen/Version.h>

#include <string>

rto::InstructionSet rto::instruction_set() {
    static const InstructionSet found = [] {
        std::string name = at::get_cpu_capability();
        if (name == "AVX512") return InstructionSet::avx512;
        return name == "AVX2" ? InstructionSet::avx2 : InstructionSet::baseline;
    }();
    return found;
}
