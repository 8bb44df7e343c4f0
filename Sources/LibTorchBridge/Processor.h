// Which of the compiled instruction sets this process uses.
#pragma once

namespace rto {

enum class InstructionSet { baseline, avx2, avx512 };

/// What LibTorch found in the processor, or what its environment variable ATEN_CPU_CAPABILITY asks for.
InstructionSet instruction_set();

template <typename Function>
Function *chosen(Function *baseline, Function *avx2, Function *avx512) {
    switch (instruction_set()) {
        case InstructionSet::baseline: return baseline;
        case InstructionSet::avx2: return avx2;
        case InstructionSet::avx512: return avx512;
    }
    return baseline;
}

}  // namespace rto
