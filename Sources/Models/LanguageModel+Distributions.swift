import Torch

extension LanguageModel {
    /// What this model and a reference model say at each response token, rows in order; gradients flow to this model.
    ///
    /// The models share ids and the size of their vocabularies, nothing else.
    public func distributions(_ rows: ResponseBatch, against reference: LanguageModel) -> TokenDistributions {
        let states = predictors(rows)
        let referenceStates = withoutGradients { reference.predictors(rows) }
        return TokenDistributions(
            hidden: scaled(states),
            weight: head.to(precision),
            softCap: configuration.factors.logitCap,
            referenceHidden: reference.scaled(referenceStates),
            referenceWeight: reference.head.to(reference.precision),
            referenceSoftCap: reference.configuration.factors.logitCap,
            targets: Tensor(rows.targets).to(device)
        )
    }
}
