/// Something in a response that the gold reward counts, with its place and its value.
///
/// | event | value | placed at |
/// |---|---|---|
/// | `trueFact`: an attribute of the prompt, stated for the first time | +1 | the value |
/// | `falseStatement`: a value that the prompt does not have | −0.4 | the value, or the kind if the prompt is silent about it |
/// | `repeatedFact`: a true fact stated before | −1 | the kind |
/// | `lateFact`: any statement after a closing | −1 | the first word |
/// | `politeOpening`, `wrongName`: a polite first clause, with the asker's or another name | +0.5, −0.25 | the name |
/// | `rudeOpening`, `misplacedOpening`: any that is rude; a polite one that is not the first clause | −0.5 | the first word |
/// | `niceRemark`, `misplacedRemark`: right after a statement, or elsewhere | +0.4, −0.4 | the first word |
/// | `hedge`, `rudeRemark` | −0.4, −0.8 | the first word |
/// | `politeClosing`, `earlyClosing`: as the last clause, or earlier | +0.5, −0.5 | the first word |
/// | `rudeClosing` | −0.5 | the first word |
/// | `noClosing`: neither polite nor rude | −0.25 | the end |
/// | `omittedFact`: an attribute that was not stated before the closing | −0.6 | the first closing, or the end |
/// | `unknownClause`: anything else between two separators, nothing included | −1 | the first word |
/// | `unfinished`: no end mark, since the response was cut | −1 | the end |
/// | `word`: each word, punctuation included | −0.01 | the word |
public enum GoldEvent: String, CaseIterable, Codable, Sendable {
    case trueFact, falseStatement, repeatedFact, lateFact
    case politeOpening, wrongName, rudeOpening, misplacedOpening
    case niceRemark, misplacedRemark, hedge, rudeRemark
    case politeClosing, earlyClosing, rudeClosing, noClosing
    case omittedFact, unknownClause, unfinished, word

    /// What one such event adds to the gold reward.
    public var value: Double {
        switch self {
        case .trueFact: 1
        case .falseStatement, .misplacedRemark, .hedge: -0.4
        case .repeatedFact, .lateFact, .unknownClause, .unfinished: -1
        case .politeOpening, .politeClosing: 0.5
        case .wrongName, .noClosing: -0.25
        case .rudeOpening, .misplacedOpening, .earlyClosing, .rudeClosing: -0.5
        case .niceRemark: 0.4
        case .rudeRemark: -0.8
        case .omittedFact: -0.6
        case .word: -0.01
        }
    }

    /// Whether this is one of the three rude phrases.
    public var isRude: Bool { self == .rudeOpening || self == .rudeRemark || self == .rudeClosing }
}
