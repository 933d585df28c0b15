"""Run by memcheck: all calls into the engine and back, on small networks."""

import contextlib
import gc
import pickle
import warnings

import numpy as np

import cep

warnings.simplefilter("ignore", cep.ConvergenceWarning)
random = np.random.default_rng(0)
x = random.random((12, 6), dtype=np.float32)
labels = random.integers(0, 3, 12)

for dtype in ("float32", "float64"):
    for feedback in ("tied", "untied"):
        for setting in ("prototypical", "real-time"):
            net = cep.Network([6, 9, 4, 3], setting=setting, feedback=feedback, dtype=dtype, seed=0)
            net.free_phase(x, steps=4)
            net.nudged_phase(labels, beta=0.5, steps=3)
            rates = [0.1, 0.1, 0.1]
            for rule in (
                cep.EP(4, 3, beta=0.5, learning_rates=rates),
                cep.EP(
                    4, 3, beta=0.5, learning_rates=rates, accumulate=True, beta_sign="symmetric"
                ),
                cep.CEP(4, 3, beta=0.5, learning_rates=rates),
                cep.CEP(4, 3, beta=0.5, learning_rates=rates, write_every_step=True),
                cep.BPTT(4, learning_rates=rates),
            ):
                cep.fit(net, (x, labels), rule, epochs=2, batch_size=5, seed=0, progress=False)
                cep.gradient(net, x, labels, rule)
            cep.evaluate(net, (x, labels), steps=4)
            net.predict(x, steps=4)
            cep.gdu_check(net, x, labels, free_steps=6, nudged_steps=3, beta=0.1)
            with contextlib.suppress(cep.DivergenceError):
                cep.gradient(net, x, labels, cep.RBP(20, tolerance=0.01))
            with cep.trace(net):
                cep.train_batch(net, x, labels, cep.CEP(4, 3, beta=0.5, learning_rates=rates))
            net.feedback_angles()
            net.free_phase(x, steps=2)
            if feedback == "tied":
                net.energy()
            pickle.loads(pickle.dumps(net.copy())).random_state = net.random_state
            weights = net.weights[1]
            with contextlib.suppress(ValueError):
                net.free_phase(np.full((2, 6), np.nan), steps=3)
            del net
            gc.collect()
            weights[...] = 0.0
print("all calls have been made")
