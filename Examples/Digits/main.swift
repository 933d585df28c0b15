import CEPEngine
import Foundation

// Trains a network by C-EP on 1,797 handwritten digits: swift run -c release digits
//
// digits.csv is the test set of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak, 1998, UCI
// Machine Learning Repository, https://doi.org/10.24432/C50P49, CC BY 4.0): 8 × 8 pixels of 0 to 16, then the digit.

let path = CommandLine.arguments.dropFirst().first ?? Digits.besideThisFile
guard let data = try? Digits(from: path) else {
    print("\(path) does not consist of lines of 64 pixels and a digit")
    exit(1)
}
let (training, test) = try data.split(testing: 360)

let network = try Network<Float>(NetworkConfiguration(sizes: [64, 128, 10], seed: 0))
let rule = ContinualEquilibriumPropagation<Float>(
    TwoPhases(freeSteps: 50, nudgedSteps: 10, beta: 0.5), learningRates: [0.03, 0.008])

for epoch in 1...100 {
    let trained = try network.trainEpoch(training, rule: rule, batchSize: 20, shuffleSeed: UInt64(epoch))
    let tested = try network.evaluate(test, steps: 50)
    print("epoch \(epoch): training error \(percent(trained)), test error \(percent(tested))")
}

func percent(_ metrics: Metrics) -> String {
    let tenths = (metrics.errors * 1000 + metrics.samples / 2) / metrics.samples
    return "\(tenths / 10).\(tenths % 10) %"
}
