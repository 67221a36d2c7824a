use super::{Code, CodeDisplay, CodeSystem};

/// A medication, given by its code in a terminology.
///
/// This is FHIR R4's datatype `Coding` (<https://hl7.org/fhir/R4/datatypes.html#Coding>). The
/// system is required, because a code has no meaning without it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MedicationCoding {
    /// The terminology, such as `http://snomed.info/sct`.
    pub system: CodeSystem,
    /// The medication's code in the terminology, such as `387517004`.
    pub code: Code,
    /// The medication's name in the terminology, such as `Paracetamol`.
    pub display: Option<CodeDisplay>,
}
