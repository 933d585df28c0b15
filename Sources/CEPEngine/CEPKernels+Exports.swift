// What users of this module name, and CEPKernels defines.

@_exported import enum CEPKernels.Activation
@_exported import protocol CEPKernels.KernelScalar
