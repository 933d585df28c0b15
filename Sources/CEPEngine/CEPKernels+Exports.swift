// Names of CEPKernels that users of this module need.

@_exported import enum CEPKernels.Activation
@_exported import protocol CEPKernels.KernelScalar
