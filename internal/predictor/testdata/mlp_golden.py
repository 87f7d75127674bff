"""The first 20 losses of the MLP's training, computed with numpy alone.

Run it with python3 (numpy needed); its output is the list in mlp_test.go. It is
an independent computation: hand-written gradients and textbook Adam in float64,
no ONNX.
"""
import numpy as np

WIDTHS = [10, 40, 40, 1]
BATCH, RATE, DECAY = 16, 1e-2, 0.1

x = np.fromfunction(lambda i, j: np.sin(1 + 3 * i + 7 * j), (BATCH, 10))
y = np.fromfunction(lambda i, j: np.cos(i * i), (BATCH, 1))
params, k = [], 0
for n_in, n_out in zip(WIDTHS, WIDTHS[1:]):
    for shape in [(n_in, n_out), (n_out,)]:
        n = int(np.prod(shape))
        params.append((np.sin(0.7 * np.arange(k, k + n)) / np.sqrt(n_in)).reshape(shape))
        k += n
m, v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]

losses = []
for step in range(1, 21):
    acts = [x]
    for i in range(0, len(params), 2):
        h = acts[-1] @ params[i] + params[i + 1]
        acts.append(np.maximum(h, 0) if i + 2 < len(params) else h)
    losses.append(np.mean((acts[-1] - y) ** 2))
    grads = [None] * len(params)
    d = 2 * (acts[-1] - y) / y.size
    for i in range(len(params) - 2, -1, -2):
        grads[i], grads[i + 1] = acts[i // 2].T @ d, d.sum(0)
        if i:
            d = (d @ params[i].T) * (acts[i // 2] > 0)
    for p, g, a, b in zip(params, grads, m, v):
        a += 0.1 * (g - a)
        b += 0.001 * (g * g - b)
        p *= 1 - RATE * DECAY
        p -= RATE * (a / (1 - 0.9**step)) / (np.sqrt(b / (1 - 0.999**step)) + 1e-8)
print(", ".join(f"{loss:.7g}" for loss in losses))
