/// Loss, logits and gradients of adapters as PEFT 0.21 and transformers 5.24 compute them in float32, recorded once.
///
/// The base is a Llama of 32 tokens, width 16, feed-forward width 24, two layers, four heads, two key-value heads, untied. The
/// elements of its tensors, the k-th in the order of their names, are 0.4·sin(1.7·i + k); those of the adapter's are
/// 0.3·sin(1.7·i + 100 + k), k counted anew. r is 3 and α is 5. The loss is the mean cross entropy of each of
/// `tokens` but the first.
enum RecordedAdapters {
    static let tokens = [1, 5, 9, 30, 2, 17, 8, 8, 3]

    /// What was recorded of one adapter.
    struct Recorded: Sendable {
        let targets: [String]?
        let isRankStabilized: Bool
        let loss: Double
        /// The first logits of the last position.
        let logits: [Double]
        /// A tensor's name, the norm of its gradient, and its first element, those at a third and at two thirds, and the last.
        let gradients: String
    }

    static let allLayers = Recorded(
        targets: nil,
        isRankStabilized: false,
        loss: 3.45825744,
        logits: [0.06711295, 0.1786266, -0.2372791, 0.04741402, 0.1921108, -0.2304258],
        gradients: """
            0.mlp.down_proj.lora_A 0.001024793 -3.708452e-05 -2.106503e-05 4.251273e-05 -0.0002001631
            0.mlp.down_proj.lora_B 0.001868735 0.0003828099 -3.052392e-05 0.0001017137 0.0004067506
            0.mlp.gate_proj.lora_A 0.003940652 -3.681284e-05 -0.0001291631 7.009669e-05 1.681702e-05
            0.mlp.gate_proj.lora_B 0.002418118 6.531162e-05 -0.000161934 -0.0001168395 0.0008476719
            0.mlp.up_proj.lora_A 0.003482357 -5.142389e-05 7.362047e-05 3.24527e-05 8.233759e-06
            0.mlp.up_proj.lora_B 0.002385611 -8.438529e-05 -0.0001679167 0.0001904232 -0.0003404272
            0.self_attn.k_proj.lora_A 0.001200515 -0.0002346363 -8.204314e-05 0.0002557779 0.0001386348
            0.self_attn.k_proj.lora_B 0.0003264409 -6.595399e-06 3.37594e-05 -7.984589e-05 -4.252634e-06
            0.self_attn.o_proj.lora_A 0.01160251 0.0004412825 -0.001013024 -0.0001802373 -0.000402148
            0.self_attn.o_proj.lora_B 0.1266468 0.0358933 -0.005192475 -0.002389899 -0.02995647
            0.self_attn.q_proj.lora_A 0.003020913 -0.0004747159 -0.000503684 0.0006045097 0.0002905546
            0.self_attn.q_proj.lora_B 0.000515055 -1.160027e-05 -0.0001419912 -4.25546e-06 0.0001079494
            0.self_attn.v_proj.lora_A 0.03056531 -0.008315785 0.002897114 0.007569232 0.0056405
            0.self_attn.v_proj.lora_B 0.03769162 0.01284494 0.0008435526 0.01186825 -0.000581338
            1.mlp.down_proj.lora_A 0.000866706 -9.011207e-06 1.476884e-06 8.630635e-06 3.572363e-06
            1.mlp.down_proj.lora_B 0.002031398 0.0004051235 -7.111127e-05 0.000105477 0.0004468044
            1.mlp.gate_proj.lora_A 0.002928233 0.0001395712 -0.0003631019 -4.6004e-05 0.0001479153
            1.mlp.gate_proj.lora_B 0.001817835 0.0001946781 -0.0005404011 0.0002281643 -3.413573e-05
            1.mlp.up_proj.lora_A 0.004098631 -0.0004241391 5.988374e-05 0.0004087077 0.0001072498
            1.mlp.up_proj.lora_B 0.001662316 -3.923211e-05 0.0003066479 -0.0001604597 0.0002034007
            1.self_attn.k_proj.lora_A 0.0001538828 3.269155e-05 -2.427912e-05 -2.643509e-05 -2.036127e-05
            1.self_attn.k_proj.lora_B 6.669838e-05 2.127126e-05 8.883245e-06 7.071277e-06 -4.902914e-07
            1.self_attn.o_proj.lora_A 0.003407397 0.0004976256 4.217011e-05 -0.0005084922 0.0009303328
            1.self_attn.o_proj.lora_B 0.02317933 -0.005011844 -0.00158454 -0.001594274 0.00454173
            1.self_attn.q_proj.lora_A 0.0003098098 -3.765515e-05 1.531655e-05 3.370825e-05 1.589349e-05
            1.self_attn.q_proj.lora_B 8.584341e-05 -3.852321e-06 1.278551e-06 -4.744317e-06 1.251916e-05
            1.self_attn.v_proj.lora_A 0.0107459 -0.0009220875 -0.0001379377 0.0009576321 -0.000949353
            1.self_attn.v_proj.lora_B 0.0055889 0.001820128 -8.915707e-05 0.001834706 2.406088e-05
            """
    )

    static let queriesAndValues = Recorded(
        targets: ["q_proj", "v_proj"],
        isRankStabilized: true,
        loss: 3.45481801,
        logits: [0.07598483, 0.1719444, -0.2397854, 0.05648373, 0.1859769, -0.233652],
        gradients: """
            0.self_attn.q_proj.lora_A 0.003337875 -0.0001748715 0.0009579835 -7.199025e-05 -0.0001171975
            0.self_attn.q_proj.lora_B 0.000847055 2.930278e-05 0.0001399007 -1.108213e-05 -3.049688e-05
            0.self_attn.v_proj.lora_A 0.05784333 0.01403996 -0.002921579 -0.0132871 -0.01257812
            0.self_attn.v_proj.lora_B 0.06317233 -0.02442952 -0.01181161 -0.01313037 0.01220869
            1.self_attn.q_proj.lora_A 0.0009932537 4.803087e-05 -0.0002509379 1.663305e-05 -1.863864e-05
            1.self_attn.q_proj.lora_B 0.0002175861 7.675506e-06 -1.212328e-05 -9.576941e-06 1.84194e-05
            1.self_attn.v_proj.lora_A 0.0461311 -0.002473972 -0.001558698 0.002875631 0.001306284
            1.self_attn.v_proj.lora_B 0.01355978 0.004684941 0.004274835 2.576773e-05 -0.004108297
            """
    )
}
