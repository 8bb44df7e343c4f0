import Configuration

/// One policy that is trained on every chain: a method, its settings and the prompts it sees.
struct TableEntry: Hashable {
    let method: TableMethod
    let settings: MethodSettings
    /// How many prompts reinforcement learning sees; all where nothing is said.
    let prompts: Int?
    /// The name of its run.
    let name: String

    /// The method with its tuned settings.
    init(_ method: TableMethod) {
        self.init(method: method, settings: method.tunedSettings, prompts: nil, name: method.rawValue)
    }

    /// A point of the sample-efficiency curve.
    init(_ method: TableMethod, prompts: Int) {
        let name = "\(method.rawValue)-\(prompts)"
        self.init(method: method, settings: method.tunedSettings, prompts: prompts, name: name)
    }

    /// A point of the tuning grid.
    init(_ method: TableMethod, trying settings: MethodSettings, prompts: Int) {
        let name = "\(method.rawValue)-\(settings.learningRate)-\(settings.coefficient)"
        self.init(method: method, settings: settings, prompts: prompts, name: name)
    }

    private init(method: TableMethod, settings: MethodSettings, prompts: Int?, name: String) {
        (self.method, self.settings, self.prompts, self.name) = (method, settings, prompts, name)
    }
}
