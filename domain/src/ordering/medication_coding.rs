use super::{Code, CodeDisplay, CodeSystem};

/// Which medication is meant, in the words of a terminology: FHIR R4's datatype `Coding`
/// (<https://hl7.org/fhir/R4/datatypes.html#Coding>), of which a code without its system says
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MedicationCoding {
    /// The terminology, such as `http://snomed.info/sct`.
    pub system: CodeSystem,
    /// The medication's code in it, such as `387517004`.
    pub code: Code,
    /// What the terminology calls it, such as `Paracetamol`.
    pub display: Option<CodeDisplay>,
}
