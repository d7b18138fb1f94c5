"""First guesses: what users of other libraries type works, or the error says what to write.

The guesses are from the introductions of PyTorch, JAX, NumPy and HIPS autograd, with the names of
the modules exchanged. A line of `GUESSES` is code and what is to come of it:

- ``gives:`` the value of the last statement; where there is none, None;
- ``write:`` a part of the error, which is what to write. If it is code, it runs, too, with the
  tensors and values of `names`; if ``gives:`` follows, it gives that value;
  ``with:`` names other tensors than those for what is to write;
- ``names:`` the parameter that Python's own error names, because it is missing or too much.
"""

import ast
import math

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff, data, nn, optim

GUESSES = """
## PyTorch: tensors
xp.tensor([[1, 2], [3, 4]])  # write: arraygrad.asarray
xp.tensor([1.0, 2.0], requires_grad=True)  # write: arraygrad.asarray
xp.as_tensor(a)  # write: arraygrad.asarray
xp.from_numpy(a)  # gives: a
xp.Tensor([1.0, 2.0])  # write: arraygrad.asarray
xp.Tensor(2, 3)  # write: arraygrad.asarray
xp.FloatTensor([1.0, 2.0])  # write: xp.asarray(values, dtype=xp.float32)
xp.LongTensor([1, 2])  # write: xp.asarray(values, dtype=xp.int64)
xp.DoubleTensor(2)  # write: xp.asarray(values, dtype=xp.float64)
xp.BoolTensor([True])  # write: xp.asarray(values, dtype=xp.bool)
xp.zeros(5, 3)  # write: xp.zeros((5, 3))  # gives: np.zeros((5, 3))
xp.ones(2, 3)  # write: xp.ones((2, 3))  # gives: np.ones((2, 3))
xp.empty(5, 3).shape  # write: xp.empty((5, 3))
xp.zeros(2, 3, dtype=xp.int64)  # write: xp.zeros((2, 3), dtype=xp.int64)
xp.ones(2, 3, device="cpu")  # write: xp.ones((2, 3), device='cpu')
xp.zeros((2, 3))  # gives: np.zeros((2, 3))
xp.ones([2, 3])  # gives: np.ones((2, 3))
xp.zeros(x.shape)  # gives: np.zeros((2, 3))
xp.ones(2, requires_grad=True)  # write: xp.ones(2).requires_grad_()
xp.ones(2, 2, requires_grad=True)  # write: xp.ones((2, 2)).requires_grad_()
xp.zeros(3, dtype=xp.float32, requires_grad=True)  # write: xp.zeros(3, dtype=xp.float32).requires_grad_()
xp.asarray([1.0, 2.0], requires_grad=True)  # write: xp.asarray([1.0, 2.0]).requires_grad_()
xp.full((2, 3), 7.0)  # gives: np.full((2, 3), 7.0)
xp.full((2, 3), 7.0, requires_grad=True)  # write: xp.full((2, 3), 7.0).requires_grad_()
xp.eye(3)  # gives: np.eye(3)
xp.eye(3, requires_grad=True)  # write: xp.eye(3).requires_grad_()
xp.arange(12)  # gives: np.arange(12)
xp.arange(0, 10, step=2)  # gives: np.arange(0, 10, 2)
xp.arange(3.0, requires_grad=True)  # write: xp.arange(3.0).requires_grad_()
xp.linspace(0, 1, 5)  # gives: np.linspace(0, 1, 5)
xp.linspace(-3, 3, 7, requires_grad=True)  # write: xp.linspace(-3, 3, 7).requires_grad_()
xp.ones_like(x)  # gives: np.ones((2, 3))
xp.zeros_like(x, requires_grad=True)  # write: xp.zeros_like(x).requires_grad_()
xp.ones_like(x, memory_format=None)  # write: xp.ones_like(x)
xp.rand(2, 3)  # write: rng.random(shape)
xp.randn(5, 3)  # write: rng.standard_normal(shape)
xp.randn(2, 2, requires_grad=True)  # write: rng.standard_normal(shape)
xp.rand_like(x)  # write: rng.random(x.shape)
xp.randn_like(x)  # write: rng.standard_normal(x.shape)
xp.randint(0, 10, (2, 3))  # write: rng.integers(low, high, size=shape)
xp.randint(3, (2,))  # write: rng.integers(low, high, size=shape)
xp.randperm(5)  # write: rng.permutation(n)
xp.manual_seed(0)  # write: rng = xp.random.default_rng(seed)
xp.normal(0.0, 1.0, size=(2,))  # write: rng.normal(mean, std, size=shape)
xp.bernoulli(x)  # write: rng.random(x.shape) < x
xp.multinomial(v, 2)  # write: rng.choice(n, size=shape, p=p)
xp.Generator()  # write: xp.random.default_rng(seed)
xp.is_tensor(x)  # write: isinstance(x, arraygrad.Tensor)
xp.numel(x)  # write: x.size
xp.size(x)  # write: x.size
xp.get_default_dtype()  # write: xp.default_dtype().dtype
xp.set_default_dtype(xp.float32)  # write: xp.default_dtype(xp.float32), also in a with block
xp.set_printoptions(precision=3)  # write: np.set_printoptions(precision=3)
xp.set_default_device("cpu")  # write: arraygrad.default_device
xp.set_num_threads(2)  # gives: None
xp.get_num_threads() > 0  # gives: True
x.shape  # gives: (2, 3)
x.dim()  # write: x.ndim
x.numel()  # write: x.size
x.nelement()  # write: x.size
x.ndimension()  # write: x.ndim
x.dtype  # gives: xp.float64
str(x.device)  # gives: "cpu"
x.is_cuda  # write: x.device.type == "cuda"
x.get_device()  # write: x.device
x.layout  # write: x.numpy().flags
x.stride()  # write: x.numpy().strides
x.is_contiguous()  # write: x.numpy().flags.c_contiguous
x.data_ptr()  # write: x.numpy().ctypes.data
len(x)  # gives: 2
x[0]  # gives: a[0]
x[:, 0]  # gives: a[:, 0]
x[..., -1]  # gives: a[..., -1]
x[:, 1] = 0; x  # gives: np.asarray([[1.0, 0.0, 3.0], [4.0, 0.0, 6.0]])
x[x > 2]  # gives: a[a > 2]
x.tolist()  # gives: a.tolist()
xp.sum(x).item()  # gives: 21.0
x.sum().item()  # gives: 21.0
x.numpy()  # gives: a
x.cpu().numpy()  # gives: a
x.detach().cpu().numpy()  # gives: a
np.asarray(x)  # gives: a
np.array(x)  # gives: a
x.to("cpu")  # gives: a
x.to(device)  # gives: a
x.to(xp.float32).dtype  # gives: xp.float32
x.to(xp.double)  # write: arraygrad.float64
x.to(y)  # gives: a
x.type()  # write: x.dtype
x.type(xp.float32)  # write: xp.astype(x, dtype)
x.float()  # write: xp.astype(x, xp.float32)
x.double()  # write: xp.astype(x, xp.float64)
x.long()  # write: xp.astype(x, xp.int64)
x.half()  # write: xp.astype(x, xp.float16)
x.bfloat16()  # write: xp.astype(x, xp.float32)
x.astype("float32").dtype  # gives: xp.float32
x.clone()  # write: xp.asarray(x, copy=True)
x.data  # write: x.detach()
x.detach()  # gives: a
xp.cuda.is_available()  # write: any(d.type == "cuda" for d in xp.__array_namespace_info__().devices())
xp.cuda.device_count()  # write: any(d.type == "cuda" for d in xp.__array_namespace_info__().devices())
xp.backends.mps.is_available()  # write: xp.__array_namespace_info__().devices()
xp.accelerator.is_available()  # write: xp.__array_namespace_info__().devices()
xp.device("cpu")  # write: arraygrad.Device
x.pin_memory()  # write: x.to_device(device)
xp.cat([x, x], dim=1)  # write: arraygrad.concat
xp.cat((x, x), 0)  # write: arraygrad.concat
xp.concat([x, x], dim=1)  # write: xp.concat([x, y], axis=1)
xp.concat([x, x], 1)  # write: xp.concat([x, y], axis=1)
xp.concat(x, x)  # write: xp.concat([x, y])
xp.stack([x, x], dim=0)  # write: xp.stack([x, y], axis=0)
xp.stack((x, x), 1)  # write: xp.stack((x, y), axis=1)
xp.hstack([x, x])  # write: xp.concat([x, y], axis=1)
xp.vstack([x, x])  # write: xp.concat([x, y], axis=0)
xp.chunk(x, 2)  # write: [x[i : i + n] for i in range(0, x.shape[0], n)]
xp.add(x, y)  # gives: a + a
y.add_(x)  # write: x += y
y.copy_(x)  # write: x[...] = y
x.t_()  # write: x = x.T
x.zero_()  # write: x[...] = 0
x.fill_(2.0)  # write: x[...] = value
x.normal_()  # write: x[...] = rng.standard_normal(x.shape)
x.uniform_(-1, 1)  # write: x[...] = rng.uniform(low, high, size=x.shape)
x.view(3, 2)  # write: xp.reshape(x, (3, 2))  # gives: a.reshape(3, 2)
x.view(-1, 2)  # write: xp.reshape(x, (-1, 2))  # gives: a.reshape(-1, 2)
x.view(-1)  # write: xp.reshape(x, (-1,))  # gives: a.reshape(-1)
x.view((3, 2))  # write: xp.reshape(x, (3, 2))
x.view(x.shape[0], -1)  # write: xp.reshape(x, (2, -1))
x.view(size=(3, 2))  # write: xp.reshape(x, (3, 2))
x.view_as(y)  # write: xp.reshape(x, y.shape)
x.reshape(3, 2)  # gives: a.reshape(3, 2)
x.reshape((3, 2))  # gives: a.reshape(3, 2)
x.reshape(-1)  # gives: a.reshape(-1)
xp.reshape(x, (3, 2))  # gives: a.reshape(3, 2)
xp.reshape(x, 3, 2)  # write: xp.reshape(x, (3, 2))
xp.reshape(x, -1)  # gives: a.reshape(-1)
x.flatten()  # write: xp.reshape(x, (-1,))
x.ravel()  # gives: a.ravel()
xp.flatten(x, 1)  # write: arraygrad.reshape
x.t()  # write: x.T
x.T  # gives: a.T
x.transpose(0, 1)  # write: xp.permute_dims(x, axes)
z.transpose(1, 2)  # write: x.mT
xp.transpose(x, 0, 1)  # write: xp.permute_dims(x, (1, 0))  # gives: a.T
xp.transpose(x, -2, -1)  # write: xp.permute_dims(x, (1, 0))  # gives: a.T
xp.stack(x, 0)  # write: xp.stack(x, axis=0)
xp.sum(x, np.int64(1))  # write: xp.sum(x, axis=1)  # gives: a.sum(1)
xp.linspace(0, 1, 5, False)  # write: xp.linspace(0, 1, 5, endpoint=False)
xp.fft.fft(x, dim=0)  # write: xp.fft.fft(x, axis=0)
xp.fft.fftn(x, dim=(0, 1))  # write: xp.fft.fftn(x, axes=(0, 1))
xp.fft.fft(v, 4)  # write: xp.fft.fft(x, n=4)
z.permute(2, 0, 1)  # write: xp.permute_dims(x, axes)
xp.permute(z, (2, 0, 1))  # write: arraygrad.permute_dims
x.unsqueeze(0)  # write: xp.expand_dims(x, axis=0)
xp.unsqueeze(x, 0)  # write: arraygrad.expand_dims
x[None].squeeze(0)  # gives: a
x.squeeze()  # gives: a
xp.squeeze(x)  # names: axis
x.expand(2, 2, 3)  # write: xp.broadcast_to(x, shape)
x.repeat(2, 1)  # write: xp.tile(x, times)
x.narrow(0, 0, 1)  # write: x[:, i : i + n]
x.select(0, 1)  # write: x[i]
x.gather(1, order)  # write: xp.take_along_axis(x, indices, axis=0)
xp.gather(x, 1, order)  # write: arraygrad.take_along_axis
x.scatter_(1, order, 1.0)  # write: x[i, j] = value
x.index_select(0, labels)  # write: xp.take(x, places, axis=0)
x.masked_fill(x > 2, 0.0)  # write: xp.where(mask, value, x)
x.masked_select(x > 2)  # write: x[mask]
x.contiguous()  # write: x
## PyTorch: computing
x @ x.T  # gives: a @ a.T
x.matmul(x.T)  # write: x @ y  # with: y = x.T
xp.matmul(x, x.T)  # gives: a @ a.T
xp.mm(x, x.T)  # write: arraygrad.matmul
x.mm(x.T)  # write: x @ y  # with: y = x.T
xp.bmm(z, z)  # write: arraygrad.matmul
x.mul(y)  # write: x * y
x.add(y)  # write: x + y
x.sub(y)  # write: x - y
x.div(y)  # write: x / y
x.pow(2)  # write: x**2
xp.pow(x, 2)  # gives: a**2
xp.exp(x)  # gives: np.exp(a)
x.exp()  # write: xp.exp(x)
x.sin().sum()  # write: xp.sin(x)
x.sqrt()  # write: xp.sqrt(x)
x.abs()  # write: xp.abs(x)
abs(x)  # gives: a
x.tanh()  # write: xp.tanh(x)
x.sigmoid()  # write: arraygrad.nn.sigmoid(x)
xp.sigmoid(x)  # write: arraygrad.nn.sigmoid
xp.relu(x)  # write: arraygrad.nn.relu
x.relu()  # write: arraygrad.nn.relu(x)
x.clamp(min=0)  # write: xp.clip(x, low, high)
xp.clamp(x, min=0)  # write: arraygrad.clip
x.clip(0, 2)  # write: xp.clip(x, low, high)
xp.clip(x, min=2)  # gives: np.clip(a, 2, None)
xp.clip(x, 2, 4)  # gives: np.clip(a, 2, 4)
x.sum(0)  # gives: a.sum(0)
x.sum(dim=0)  # write: xp.sum(x, axis=0)
x.sum(dim=1, keepdim=True)  # write: xp.sum(x, axis=1, keepdims=True)
x.sum(1, keepdim=True)  # write: xp.sum(x, axis=1, keepdims=True)
x.sum(axis=0)  # gives: a.sum(0)
xp.sum(x, 0)  # write: xp.sum(x, axis=0)  # gives: a.sum(0)
xp.sum(x, dim=0)  # write: xp.sum(x, axis=0)  # gives: a.sum(0)
xp.sum(x, dim=1, keepdim=True)  # write: xp.sum(x, axis=1, keepdims=True)  # gives: a.sum(1, keepdims=True)
xp.sum(x, 1, True)  # write: xp.sum(x, axis=1, keepdims=True)
xp.sum(x, dim=(0, 1))  # write: xp.sum(x, axis=(0, 1))
xp.mean(x, dim=0)  # write: xp.mean(x, axis=0)  # gives: a.mean(0)
xp.mean(x, 0)  # write: xp.mean(x, axis=0)
x.mean()  # gives: a.mean()
x.mean(dim=0)  # write: xp.mean(x, axis=0)
x.mean(0)  # gives: a.mean(0)
x.mean(1, keepdims=True)  # gives: a.mean(1, keepdims=True)
x.std()  # write: xp.std(x)
xp.std(x, unbiased=False)  # write: xp.std(x, correction=0)  # gives: a.std()
xp.std(x, dim=0)  # write: xp.std(x, axis=0)
xp.var(x, 0)  # write: xp.var(x, axis=0)
x.max()  # gives: 6.0
x.max(dim=1)  # write: xp.max(x, axis=1)
x.max(1)  # gives: a.max(1)
xp.max(x, 1)  # write: xp.max(x, axis=1)  # gives: a.max(1)
xp.max(x, dim=1)  # write: xp.max(x, axis=1)
xp.max(x, y)  # write: xp.maximum(x, y)  # gives: a
xp.min(x, 0)  # write: xp.min(x, axis=0)
xp.argmax(x, dim=1)  # write: xp.argmax(x, axis=1)  # gives: a.argmax(1)
xp.argmax(x, 1)  # write: xp.argmax(x, axis=1)
x.argmax(1)  # write: xp.argmax(x)
xp.prod(x, 0)  # write: xp.prod(x, axis=0)
xp.any(x > 2, dim=0)  # write: xp.any(x, axis=0)
xp.all(x > 0)  # gives: True
xp.cumsum(x, dim=0)  # write: arraygrad.cumulative_sum
xp.cumulative_sum(x, 0)  # write: xp.cumulative_sum(x, axis=0)
xp.sort(v, descending=True)  # gives: np.asarray([3.0, 2.0, 1.0])
xp.sort(x, dim=0)  # write: xp.sort(x, axis=0)
xp.sort(x, 0)  # write: xp.sort(x, axis=0)
xp.argsort(x, 1)  # write: xp.argsort(x, axis=1)
xp.topk(v, 2)  # write: xp.sort(x, descending=True)[..., :n]
xp.eq(x, y)  # write: arraygrad.equal
x.eq(y)  # write: x == y
(x == y).sum()  # gives: 6
(x == y).float()  # write: xp.astype(x, xp.float32)
xp.allclose(x, x)  # gives: True
x.allclose(y)  # write: xp.allclose(x, y)
xp.isclose(x, y)  # write: xp.abs(x - y) <= 1e-8 + 1e-5 * xp.abs(y)
xp.where(x > 2, x, 0.0)  # gives: np.where(a > 2, a, 0.0)
xp.einsum("ij,kj->ik", x, x)  # gives: a @ a.T
xp.dot(v, v)  # write: arraygrad.matmul
v.dot(v)  # write: x @ y  # with: x = y = v
xp.outer(v, v)  # gives: np.outer(v.numpy(), v.numpy())
xp.norm(x)  # write: arraygrad.linalg.vector_norm
x.norm()  # write: xp.linalg.vector_norm(x)
xp.linalg.norm(x)  # write: arraygrad.linalg.vector_norm
xp.linalg.vector_norm(x, dim=1)  # write: xp.linalg.vector_norm(x, axis=1)
xp.linalg.vector_norm(x, 2)  # write: xp.linalg.vector_norm(x, ord=2)
xp.linalg.inv(m)  # gives: np.linalg.inv([[2.0, 1.0], [1.0, 3.0]])
xp.inverse(m)  # write: arraygrad.linalg.inv
xp.det(m)  # write: arraygrad.linalg.det
xp.flip(x, [0])  # write: xp.flip(x, axis=(0,))
xp.flip(x, dims=(0, 1))  # write: xp.flip(x, axis=(0, 1))
xp.roll(x, 1, 0)  # write: xp.roll(x, 1, axis=0)
xp.roll(x, shifts=1, dims=0)  # names: shift
xp.tile(x, 2, 1)  # write: xp.tile(x, (2, 1))
xp.unbind(x)  # write: arraygrad.unstack
xp.unstack(x, 1)  # write: xp.unstack(x, axis=1)
xp.tril(x, diagonal=-1)  # write: xp.tril(x, k=-1)
xp.triu(x, 1)  # write: xp.triu(x, k=1)
xp.take(x, labels, 1)  # write: xp.take(x, indices, axis=1)
xp.take_along_axis(x, order, 1)  # write: xp.take_along_axis(x, indices, axis=1)
xp.tensordot(x, x, dims=2)  # write: xp.tensordot(x, y, axes=2)
xp.tensordot(x, x, 2)  # write: xp.tensordot(x, y, axes=2)
xp.broadcast_to(x, 2, 2, 3)  # write: xp.broadcast_to(x, (2, 2, 3))
xp.permute_dims(x, 1, 0)  # write: xp.permute_dims(x, (1, 0))
xp.expand_dims(x, dim=0)  # names: axis
xp.squeeze(x[None], dim=0)  # names: axis
xp.repeat(x, 2, 0)  # write: xp.repeat(x, 2, axis=0)
x.new_zeros(2, 3)  # write: xp.zeros(shape, dtype=x.dtype, device=x.device)
x.new_ones(2)  # write: xp.ones(shape, dtype=x.dtype, device=x.device)
x.new_tensor([1.0])  # write: xp.asarray(values, dtype=x.dtype, device=x.device)
x.new_full((2,), 1.0)  # write: xp.full(shape, value, dtype=x.dtype, device=x.device)
x.type_as(y)  # write: xp.astype(x, y.dtype)
xp.meshgrid(v, v)[0].shape  # gives: (3, 3)
xp.histogram(x, 3)  # write: np.histogram(x.numpy())
xp.save(x, "x.pt")  # write: arraygrad.nn.save
xp.load("x.pt")  # write: arraygrad.nn.load
xp.vmap(xp.sum)(x).shape  # gives: (2,)
## PyTorch: gradients
x.requires_grad = True; x.requires_grad  # gives: True
x.requires_grad_().requires_grad  # gives: True
x.requires_grad_(True).is_leaf  # gives: True
x.requires_grad = True; xp.sum(x**2).backward(); x.grad  # gives: 2 * a
w.requires_grad  # gives: True
loss.backward(); w.grad  # gives: np.asarray([6.0, 2.0, 4.0])
w.grad is None  # gives: True
loss.backward(); w.grad.zero_()  # write: x[...] = 0
loss.backward(); w.grad.data.zero_()  # write: x.detach()
w.data  # write: x.detach()
loss.item()  # gives: 14.0
float(loss.detach())  # gives: 14.0
float(loss)  # write: x.item()  # with: x = loss
w.numpy()  # write: x.detach()
(w * 2).requires_grad  # gives: True
(w * 2).grad_fn is None  # gives: False
w.detach().requires_grad  # gives: False
xp.no_grad()  # write: arraygrad.autodiff.no_grad
xp.enable_grad()  # write: arraygrad.autodiff.enable_grad
xp.inference_mode()  # write: arraygrad.autodiff.no_grad
xp.set_grad_enabled(False)  # write: autodiff.no_grad()
xp.is_grad_enabled()  # write: x.requires_grad
xp.autograd.grad(loss, w)  # write: autodiff.grad(f)(x)
xp.autograd.Variable(x)  # write: x.requires_grad_()
xp.autograd.functional.jacobian(f, v)  # write: autodiff.grad(f)(x)
xp.func.grad(f)  # write: autodiff.grad(f)
xp.grad(f)  # write: autodiff.grad
xp.utils.data.DataLoader(x)  # write: data.DataLoader(x, y)
xp.utils.checkpoint.checkpoint(f, x)  # write: autodiff.checkpoint(f)
w.retain_grad() is None  # gives: True
w.register_hook(print).remove()  # gives: None
with xp.no_grad(): w * 2  # write: arraygrad.autodiff.no_grad
with autodiff.no_grad(): (w * 2).requires_grad  # gives: None
loss.backward(); w.data -= 0.1 * w.grad  # write: x.detach()
loss.backward(); exec("with autodiff.no_grad(): w -= 0.1 * w.grad"); w.detach()  # gives: np.asarray([2.4, 0.8, 1.6])
loss.backward(); w.grad = None; w.grad is None  # gives: True
w.requires_grad = False; (w * 2).requires_grad  # gives: False
w.backward()  # write: write backward(gradient)
xp.sum(w * 2).backward(); w.grad.tolist()  # gives: [2.0, 2.0, 2.0]
(w * w).backward(xp.ones(3)); w.grad  # gives: np.asarray([6.0, 2.0, 4.0])
a_tensor = xp.zeros(2); a_tensor.requires_grad = True; a_tensor.is_leaf  # gives: True
## PyTorch: layers and training
nn.Linear(3, 4, rng=rng)(x).shape  # gives: (2, 4)
nn.Linear(in_features=3, out_features=4, bias=False, rng=rng)(x).shape  # gives: (2, 4)
nn.Linear(3, 4, dtype=xp.float32, rng=rng).weight.dtype  # gives: xp.float32
nn.Softmax(dim=1)(x)  # write: nn.Softmax(axis=1)
nn.LogSoftmax(dim=1)  # write: nn.LogSoftmax(axis=1)
nn.softmax(x, dim=1)  # write: nn.softmax(x, axis=1)
nn.softmax(x, 1).shape  # gives: (2, 3)
nn.log_softmax(x, dim=-1)  # write: nn.log_softmax(x, axis=-1)
xp.softmax(x, dim=1)  # write: arraygrad.nn.softmax
nn.functional.relu(x)  # write: nn.relu
nn.functional.softmax(x, dim=1)  # write: nn.relu(x) and the other functions of nn
nn.Flatten()(z).shape  # gives: (2, 6)
nn.Sequential(nn.ReLU(), nn.Tanh())(x).shape  # gives: (2, 3)
nn.ReLU(inplace=True)  # write: nn.ReLU()
nn.Parameter(x)  # write: x.requires_grad_()
nn.ModuleList([nn.ReLU()])  # write: a list
nn.init.xavier_uniform_(w)  # write: nn.xavier_uniform(shape) and the other initialisers of nn
nn.cross_entropy(x, labels).shape  # gives: ()
nn.functional.cross_entropy(x, labels)  # write: nn.relu(x) and the other functions of nn
float(nn.BCELoss()(xp.asarray([0.5]), xp.asarray([1.0])))  # gives: np.log(2.0)
nn.LSTM(3, 4)(x)[0].shape  # gives: (2, 4)
nn.MultiheadAttention(4, 2)(xp.ones((2, 1, 4)), xp.ones((2, 1, 4)), xp.ones((2, 1, 4)))[0].shape  # gives: (2, 1, 4)
xp.quantile(v, 0.5)  # gives: np.quantile(v.numpy(), 0.5)
nn.Conv2d(1, 6, 5, rng=rng).weight.shape  # gives: (6, 1, 5, 5)
nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # write: optim.clip_grad_norm_
model(x).shape  # gives: (2, 2)
model.train().training  # gives: True
model.eval().training  # gives: False
model.to(device)  # write: model.to_device(device)
model.cuda()  # write: model.to_device("cuda")
model.float()  # write: model.astype(xp.float32)
model.parameters() is not None  # gives: True
sum(p.numel() for p in model.parameters())  # write: x.size
len(list(model.parameters()))  # gives: 4
model.state_dict().keys() == dict(model.named_parameters()).keys()  # gives: True
model.zero_grad()  # gives: None
optim.SGD(model.parameters(), lr=0.1).step()  # gives: None
optim.SGD(model.parameters(), 0.1).step()  # gives: None
optim.Adam(model.parameters(), lr=1e-3).zero_grad()  # gives: None
optim.Adam(model.parameters()).zero_grad(set_to_none=True)  # gives: None
optim.lr_scheduler.StepLR(optimizer, 5)  # write: optim.StepLR
optim.StepLR(optimizer, step_size=5).step()  # gives: None
optim.LBFGS(model.parameters())  # write: optim.minimize
optimizer.param_groups[0]["lr"]  # gives: 0.1
xp.optim.SGD(model.parameters(), lr=0.1).step()  # gives: None
xp.nn.Linear(3, 4, rng=rng)(x).shape  # gives: (2, 4)
len(data.DataLoader(x, v[:2], batch_size=2, shuffle=True))  # gives: 1
data.DataLoader(x, batch_size=2, num_workers=2)  # write: data.DataLoader(x, batch_size=2)
data.TensorDataset(x, y)  # write: data.DataLoader(x, y)
## JAX
xp.array([1.0, 2.0])  # write: arraygrad.asarray
xp.zeros((3,), float)  # write: xp.zeros((3,), dtype=xp.float64)
xp.ones((3, 3), dtype=float).dtype  # gives: xp.float64
xp.zeros_like(x)  # gives: np.zeros((2, 3))
xp.arange(5.0)  # gives: np.arange(5.0)
xp.dot(x, x.T)  # write: arraygrad.matmul
x.dot(v)  # write: x @ y  # with: y = v
x.at[0].set(1.0)  # write: x[i] = value
x.at[0, :].add(1.0)  # write: x[i] = value
xp.jit(f)  # write: arraygrad.compile(f)
xp.vmap(xp.sum, in_axes=1)(x).shape  # gives: (3,)
xp.value_and_grad(f)  # write: autodiff.value_and_grad
xp.jacfwd(f)  # write: autodiff.jacobian(f, mode="forward")
xp.jacrev(f)  # write: autodiff.jacobian(f, mode="reverse")
xp.hessian(f)  # write: autodiff.hessian
xp.jvp(f, (x,), (x,))  # write: autodiff.jvp
xp.vjp(f, x)  # write: autodiff.vjp
xp.random.PRNGKey(0)  # write: random.default_rng(seed)
xp.random.key(0)  # write: random.default_rng(seed)
xp.random.split(rng)  # write: rng.spawn(n)
xp.random.normal(rng, (3,))  # write: rng.normal
xp.random.uniform(rng)  # write: rng.uniform
xp.random.normal(size=(3,))  # write: rng.normal
xp.lax.cond(True, f, f, x)  # write: if, for and while
xp.lax.scan(f, x, x)  # write: if, for and while
xp.lax.fori_loop(0, 3, f, x)  # write: if, for and while
xp.lax.stop_gradient(x)  # write: autodiff.stop_gradient(x)
xp.lax.add(x, y)  # write: if, for and while
xp.numpy.sin(x)  # write: xp.sin(x)
xp.nn.relu(x)  # gives: a
xp.nn.one_hot(labels, 3)  # write: xp.astype(labels[:, None] == xp.arange(n), xp.float64)
xp.tree.map(f, [x])  # write: optree.tree_map(f, tree, namespace="arraygrad")
xp.tree_util.tree_map(f, [x])  # write: optree.tree_map(f, tree, namespace="arraygrad")
xp.device_put(x)  # write: x.to_device(device)
xp.devices()  # write: xp.__array_namespace_info__().devices()
xp.block_until_ready(x)  # write: x.numpy()
x.block_until_ready()  # write: x.numpy()
xp.pmap(f)  # write: arraygrad import distributed;
xp.make_jaxpr(f)  # write: f(x).grad_fn
xp.config.update("jax_enable_x64", True)  # write: xp.float64
xp.debug.print("x")  # write: print(x)
xp.linalg.cholesky(m).shape  # gives: (2, 2)
xp.linalg.solve(m, m)  # gives: np.eye(2)
xp.linalg.lstsq(x, x)  # write: xp.linalg.pinv(x) @ y
autodiff.grad(f)(v)  # gives: np.asarray([6.0, 2.0, 4.0])
autodiff.grad(f)(3.0)  # gives: 6.0
autodiff.grad(lambda x: x**2)(3)  # write: arraygrad.asarray
autodiff.grad(xp.sin)(0.0)  # gives: 1.0
autodiff.grad(f, argnums=0)(v)  # gives: np.asarray([6.0, 2.0, 4.0])
autodiff.value_and_grad(f)(v)[0]  # gives: 14.0
autodiff.jit(f)  # write: arraygrad.compile(f)
autodiff.vmap(f)  # write: arraygrad.vmap(f)
autodiff.hessian(f)(v)  # gives: 2 * np.eye(3)
autodiff.jacobian(xp.sin)(v).shape  # gives: (3, 3)
optim.adam(1e-3)  # write: optim.Adam(params, lr=lr)
optim.sgd(0.1)  # write: optim.SGD(params, lr=lr)
optim.apply_updates(x, y)  # write: optimizer.step(grads)
optim.Adam(1e-3)  # write: optim.Adam(params, lr=0.001)
optimizer.init(x)  # write: optim.Adam(params, lr=lr)
optimizer.update(x, x)  # write: optimizer.step(grads)
xp.isnan(x).any()  # gives: False
xp.logsumexp(x)  # write: arraygrad.special.logsumexp
xp.special.logsumexp(v)  # gives: np.log(np.sum(np.exp([3.0, 1.0, 2.0])))
xp.exp(0.5)  # write: arraygrad.asarray(x)
xp.sin([0.0, 1.0])  # write: arraygrad.asarray(x)
## NumPy
xp.array([[1, 2], [3, 4]], dtype=float)  # write: arraygrad.asarray
xp.ndarray((2,))  # write: xp.Tensor
xp.asarray([1, 2], float)  # write: xp.asarray([1, 2], dtype=xp.float64)
xp.asarray([1, 2], dtype="float32").dtype  # gives: xp.float32
xp.asarray([1, 2], dtype=np.float32).dtype  # gives: xp.float32
xp.asarray(1, 2, 3)  # write: xp.asarray([1, 2, 3])
xp.zeros(3, int)  # write: xp.zeros(3, dtype=xp.int64)
xp.zeros((2, 3), order="F")  # write: xp.zeros((2, 3))
xp.random.rand(3, 2)  # write: rng.random
xp.random.randn(3)  # write: rng.standard_normal
xp.random.seed(0)  # write: random.default_rng(seed)
xp.random.default_rng(1).random((2, 3)).shape  # gives: (2, 3)
rng.random(2, 3)  # write: rng.random(shape)
rng.standard_normal(2, 3)  # write: rng.standard_normal(shape)
rng.randn(3)  # write: rng.standard_normal(shape)
rng.rand(3)  # write: rng.random(shape)
rng.randint(0, 3)  # write: rng.integers(low, high, size=shape)
rng.integers(0, 3, (2,)).shape  # gives: (2,)
xp.concatenate((x, x))  # write: arraygrad.concat
xp.concatenate((x, x), axis=1)  # write: arraygrad.concat
xp.append(x, x)  # write: xp.concat([x, y], axis=0)
xp.unique(x)  # write: arraygrad.unique_values
xp.nonzero(x > 2)[0]  # gives: np.nonzero(a > 2)[0]
xp.argwhere(x > 2)  # write: xp.stack(xp.nonzero(x), axis=-1)
xp.arcsin(v / 4)  # write: arraygrad.asin
xp.power(x, 2)  # write: arraygrad.pow
xp.mod(x, 2)  # write: arraygrad.remainder
xp.median(x)  # gives: 3.5
xp.average(x)  # write: xp.sum(x * weights) / xp.sum(weights)
xp.ptp(x)  # write: xp.max(x) - xp.min(x)
xp.float_  # write: xp.float64
xp.newaxis is None  # gives: True
x[:, xp.newaxis].shape  # gives: (2, 1, 3)
x.ndim  # gives: 2
x.size  # gives: 6
x.itemsize  # write: x.dtype.itemsize
x.nbytes  # write: x.size * x.dtype.itemsize
x.copy()  # write: xp.asarray(x, copy=True)
x.astype(xp.float32).dtype  # gives: xp.float32
x.astype(int).dtype  # gives: xp.int64
x.cumsum(axis=0)  # write: xp.cumulative_sum(x, axis=0)
x.sort()  # write: xp.sort(x)
x.argsort()  # write: xp.argsort(x)
x.round()  # write: xp.round(x)
x.swapaxes(0, 1)  # write: xp.moveaxis
x.fill(0.0)  # write: x[...] = value
x.resize(3, 2)  # write: xp.reshape(x, shape)
x.flat  # write: xp.reshape(x, (-1,))
x.trace()  # write: xp.linalg.trace(x)
x.diagonal()  # write: xp.linalg.diagonal(x)
x.nonzero()  # write: xp.nonzero(x)
x.var(axis=0)  # write: xp.var(x)
x.sum(axis=1, keepdims=True)  # gives: a.sum(1, keepdims=True)
x.max(axis=0)  # gives: a.max(0)
x.min()  # gives: 1.0
x.tofile("f")  # write: x.numpy().tofile(path)
xp.sum(x, axis=0, out=v)  # write: y[...] = xp.sum(x, axis=0)
xp.sum(x, where=x > 2)  # write: xp.sum(xp.where(mask, x, 0))
xp.add(x, y, out=y)  # names: out
xp.divide(x, y, out=y, where=y != 0)  # names: out
xp.exp(x, where=x > 2)  # names: where
xp.exp(x, dtype=xp.float32)  # names: dtype
xp.clip(x, 0, 2, out=y)  # names: out
xp.mean(x, out=v)  # write: y[...] = xp.mean(x)
x.mean(axis=0, out=v)  # write: y[...] = xp.mean(x, axis=0)
np.sum(x, axis=0, out=v)  # write: y[...] = xp.sum(x, axis=0)
np.max(x, axis=1, keepdims=True, out=v)  # write: y[...] = xp.max(x, axis=1, keepdims=True)
xp.mean(x, where=x > 2)  # write: xp.nanmean(xp.where(mask, x, xp.nan))  # gives: 4.5
xp.std(x, axis=1, where=x > 2)  # write: xp.nanstd(xp.where(mask, x, xp.nan), axis=1)
xp.min(x, where=x > 2, initial=10.0)  # write: xp.minimum(xp.min(xp.where(mask, x, 10.0)), 10.0)  # gives: 3.0
xp.max(x, where=x < 2)  # write: xp.max(xp.where(mask, x, -xp.inf))
xp.sum(x, initial=1.0)  # write: xp.sum(x) + 1.0  # gives: 22.0
xp.prod(x, initial=2.0)  # write: xp.prod(x) * 2.0  # gives: 1440.0
xp.mean(x, dtype=xp.float32)  # write: xp.mean(xp.astype(x, xp.float32))
xp.var(x, axis=0, dtype=np.float32)  # write: xp.var(xp.astype(x, xp.float32), axis=0)
xp.concat([x, x], dtype=xp.float32)  # write: xp.astype(xp.concat([x, y]), xp.float32)
xp.cumulative_sum(x, axis=0, out=y)  # write: y[...] = xp.cumulative_sum(x, axis=0)
x.copy(order="F")  # write: xp.asarray(x, copy=True)
x.astype(xp.float32, order="C")  # names: order
x.reshape((3, 2), order="F")  # names: order
xp.arange(3, dtype=xp.float32, like=x)  # write: xp.arange(3, dtype=xp.float32)
xp.linspace(0, 1, 5, retstep=True)  # write: x = xp.linspace(low, high, n); step = x[1] - x[0]
xp.round(x, decimals=2)  # write: xp.round(x * 10**2) / 10**2
xp.round(x, out=y)  # write: y[...] = xp.round(x)
xp.unique_values(v, return_counts=True)  # write: xp.unique_counts(x)
xp.unique_values(v, return_inverse=True)  # write: xp.unique_inverse(x)
xp.unique_values(v, return_index=True)  # write: xp.unique_all(x)
xp.einsum("ij->i", x, optimize=True)  # write: xp.einsum('ij->i', x)  # gives: a.sum(1)
xp.quantile(x, 0.5, out=v)  # write: y[...] = xp.quantile(x, 0.5)
xp.linalg.svd(m, compute_uv=False)  # write: xp.linalg.svdvals(x)
xp.linalg.eigh(m, UPLO="L")  # write: xp.linalg.eigh(x)  # with: x = m
xp.linalg.pinv(m, rcond=1e-3)  # write: xp.linalg.pinv(x, rtol=0.001)
xp.std(x, ddof=1)  # write: xp.std(x, correction=1)  # gives: a.std(ddof=1)
xp.sort(v, kind="stable")  # write: xp.sort(x)
xp.sort(v)[::-1]  # gives: np.asarray([3.0, 2.0, 1.0])
xp.linspace(0, 1, num=5)  # gives: np.linspace(0, 1, 5)
xp.meshgrid(v, v, sparse=True)  # write: xp.meshgrid(x, y)
xp.reshape(x, (3, 2), order="F")  # write: xp.reshape(x.T, (2, 3)).T  # gives: a.reshape((3, 2), order="F")
xp.round(x, 2)  # write: xp.round(x * 10**2) / 10**2
xp.matmul(x, v)  # gives: a @ np.asarray([3.0, 1.0, 2.0])
xp.linalg.eig(m)[0].shape  # gives: (2,)
xp.linalg.svd(m, full_matrices=False)[1].shape  # gives: (2,)
xp.linalg.svd(m, False)  # write: xp.linalg.svd(x, full_matrices=False)
xp.linalg.matrix_rank(m)  # gives: 2
xp.linalg.cond(m)  # write: xp.linalg.svdvals(x)
xp.fft.fft(v).shape  # gives: (3,)
xp.save("x.npy", x)  # write: arraygrad.nn.save
xp.loadtxt("x.csv")  # write: xp.asarray(np.loadtxt(path))
xp.polyfit(v, v, 1)  # write: np.polyfit
xp.vectorize(f)  # write: xp.vmap(f)
xp.apply_along_axis(f, 0, x)  # write: xp.vmap(f)
np.sum(x)  # gives: 21.0
np.sin(x)  # gives: np.sin(a)
np.dot(x, v)  # gives: a @ np.asarray([3.0, 1.0, 2.0])
np.linalg.lstsq(x, a[:, 0])[0].shape  # gives: (3,)
np.sin(w)  # write: functions of arraygrad
np.dot(w, w)  # write: functions of arraygrad
np.exp(w)  # write: functions of arraygrad
x + a  # write: arraygrad.asarray(a, device=x.device)
a + x  # write: arraygrad.asarray(a, device=x.device)
x += 1; x  # gives: a + 1
x == y  # gives: a == a
if x > 2: pass  # write: xp.any(x) or xp.all(x)
x and y  # write: xp.any(x) or xp.all(x)
for row in x: row  # gives: None
## Missing arguments
xp.sum()  # names: x
xp.matmul(x)  # names: x2
xp.zeros()  # names: shape
xp.where(x > 2)  # names: x1
x.reshape()  # write: x.reshape(-1)  # gives: a.reshape(-1)
x.astype()  # names: dtype
rng.choice()  # names: a
xp.special.logsumexp()  # names: a
nn.Linear(3)  # names: out_features
nn.LSTM(3)  # names: hidden_size
nn.BatchNorm2d()  # names: num_features
nn.CrossEntropyLoss()(x)  # names: target
nn.Dropout(0.5, inplace=True)  # write: nn.Dropout(p=0.5)
nn.LeakyReLU(0.1, inplace=True)  # write: nn.LeakyReLU(negative_slope=0.1)
optim.SGD()  # names: params
optim.StepLR(optimizer)  # names: step_size
## HIPS autograd
autodiff.grad(lambda x: (1.0 - xp.exp(-2.0 * x)) / (1.0 + xp.exp(-2.0 * x)))(1.0)  # gives: 1 - np.tanh(1.0) ** 2
autodiff.grad(autodiff.grad(xp.tanh))(1.0)  # gives: -2 * np.tanh(1.0) * (1 - np.tanh(1.0) ** 2)
0.5 * (xp.tanh(xp.dot(x, v) / 2.0) + 1)  # write: arraygrad.matmul
autodiff.grad(lambda v: -xp.sum(xp.log(0.5 * (xp.tanh(x @ v) + 1))))(v).shape  # gives: (3,)
autodiff.value_and_grad(f)(v)[1]  # gives: np.asarray([6.0, 2.0, 4.0])
autodiff.jacobian(f)(v)  # gives: np.asarray([6.0, 2.0, 4.0])
autodiff.grad(lambda p: xp.sum(p[0] * v) + p[1])((v, 1.0))[1]  # gives: 1.0
autodiff.grad(lambda d: xp.sum(d["w"] ** 2))({"w": v})["w"]  # gives: np.asarray([6.0, 2.0, 4.0])
xp.random.RandomState(0)  # write: random.default_rng(seed)
xp.random.randn(3, 2) * 0.1  # write: rng.standard_normal
autodiff.make_jvp(f)  # write: autodiff.jvp(f, (x,), (v,))  # with: v = x
autodiff.grad_named(f, "x")  # write: autodiff.grad(f, argnums=0)
autodiff.checkpoint(f)(v)  # gives: 14.0
autodiff.test_util.check_grads(f)  # write: autodiff.check_grads(f, (x,))
autodiff.elementwise_grad(f)  # write: autodiff.vjp
xp.elementwise_grad(f)  # write: autodiff.vjp
autodiff.grad(f, 0)(v)  # gives: np.asarray([6.0, 2.0, 4.0])
autodiff.hessian_vector_product(f)  # write: autodiff.hvp
autodiff.make_vjp(f)  # write: autodiff.vjp
autodiff.multigrad(f)  # write: autodiff.grad(f, argnums=(0, 1))
autodiff.holomorphic_grad(f)  # write: autodiff.jacobian(f, holomorphic=True)
autodiff.check_grads(f, (v,), order=2)  # gives: None
autodiff.primitive(f)  # write: autodiff.custom_vjp
autodiff.defvjp(f, f)  # write: autodiff.custom_vjp
autodiff.grad(lambda x: xp.sum(xp.tanh(x)))(v).shape  # gives: (3,)
autodiff.grad(lambda x: x[0] * x[1])([2.0, 3.0])  # gives: [3.0, 2.0]
autodiff.grad(f)(a)  # write: arraygrad.asarray
autodiff.deriv(f)  # write: autodiff.jvp(f, (x,), (xp.ones_like(x),))[1]
autodiff.grad_and_aux(f)  # write: autodiff.grad(f, has_aux=True)
autodiff.multigrad_dict(f)  # write: where params is a dict
autodiff.tensor_jacobian_product(f)  # write: autodiff.vjp(f, x)[1](g)[0]  # with: g = xp.asarray(1.0)
autodiff.hessian_tensor_product(f)  # write: autodiff.hvp
autodiff.make_ggnvp(f)  # write: with the Hessian of the loss
autodiff.extend.primitive(f)  # write: autodiff.custom_vjp
autodiff.defjvp(f, f)  # write: autodiff.custom_jvp
autodiff.misc.optimizers.adam(f, x)  # write: optim.Adam(params, lr=lr)
autodiff.flatten(x)  # write: optree.tree_flatten(params, namespace="arraygrad")
autodiff.numpy.sin(x)  # write: xp.sin(x)
xp.atleast_2d(v)  # write: x[None, :]
xp.r_[v, v]  # write: xp.concat([x, y], axis=0)
xp.c_[v, v]  # write: xp.stack([x, y], axis=1)
xp.gradient(v)  # write: (x[2:] - x[:-2]) / 2
xp.angle(v)  # write: xp.atan2(xp.imag(x), xp.real(x))  # with: x = 1j * v  # gives: np.full(3, np.pi / 2)
xp.array_split(v, 2)  # write: xp.split
xp.vsplit(x, 2)  # write: xp.split(x, n, axis=0)  # with: n = 2
xp.hsplit(x, 3)  # write: xp.split(x, n, axis=1)  # with: n = 3
xp.row_stack((v, v))  # write: xp.concat([x, y], axis=0)
xp.radians(v)  # write: x * (xp.pi / 180)  # with: x = v  # gives: np.radians([3.0, 1.0, 2.0])
xp.degrees(v)  # write: x * (180 / xp.pi)  # with: x = v  # gives: np.degrees([3.0, 1.0, 2.0])
xp.exp2(v)  # write: 2**x  # with: x = v  # gives: np.asarray([8.0, 2.0, 4.0])
xp.logaddexp2(v, v)  # write: xp.log2(2**x + 2**y)  # with: x, y = v, v  # gives: np.asarray([4.0, 2.0, 3.0])
xp.iscomplexobj(v)  # write: xp.isdtype(x.dtype, "complex floating")  # gives: False
xp.isrealobj(v)  # write: not xp.isdtype(x.dtype, "complex floating")  # gives: True
xp.iscomplex(v)  # write: xp.imag(x) != 0
xp.rot90(x)  # write: xp.flip(x.T, axis=0)  # gives: np.rot90(a)
xp.rollaxis(x, 1)  # write: xp.moveaxis(x, axis, 0)  # with: axis = 1  # gives: a.T
xp.partition(v, 1)  # write: xp.sort(x)
xp.msort(x)  # write: xp.sort(x, axis=0)
xp.select([x > 0], [x])  # write: xp.where(x > 0, x, y)
xp.real_if_close(v)  # write: xp.real(x)
xp.seterr(all="ignore")  # write: np.seterr
xp.make_diagonal(v)  # write: xp.diag(x)
xp.fmax(v, v)  # write: xp.maximum(x, y)
xp.s_[1:]  # write: the index itself
xp.fft.fft2(x)  # write: xp.fft.fftn(x, axes=(-2, -1))  # gives: np.fft.fft2(a)
xp.fft.irfft2(x)  # write: xp.fft.irfftn(x, axes=(-2, -1))
"""  # noqa: E501
ROWS = [line for line in GUESSES.splitlines() if line and not line.startswith("##")]


def names(tmp_path):
    """The variables of the guesses, and those of what errors say to write."""
    xp = arraygrad
    a = np.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    rng = xp.random.default_rng(0)
    model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.ReLU(), nn.Linear(4, 2, rng=rng))
    w = xp.asarray([3.0, 1.0, 2.0]).requires_grad_()
    x = xp.asarray(a, copy=True)
    (tmp_path / "file").write_text("1.0 2.0")
    guessed = {
        "xp": xp, "np": np, "nn": nn, "optim": optim, "data": data, "autodiff": autodiff,
        "a": a.copy(), "x": x, "y": xp.asarray(a, copy=True), "v": xp.asarray([3.0, 1.0, 2.0]),
        "z": xp.reshape(xp.arange(12.0), (2, 2, 3)), "m": xp.asarray([[2.0, 1.0], [1.0, 3.0]]),
        "labels": xp.asarray([2, 0]), "order": xp.asarray([[2, 0, 1], [0, 0, 2]]), "w": w,
        "loss": xp.sum(w**2), "f": lambda x: xp.sum(x**2), "rng": rng, "model": model,
        "optimizer": optim.SGD(model.parameters(), lr=0.1), "device": "cpu",
    }  # fmt: skip
    return guessed | {
        "arraygrad": xp, "math": math, "shape": (2, 3), "dtype": xp.float32, "seed": 1, "n": 2,
        "low": 0, "high": 10, "mean": 0.0, "std": 1.0, "value": 1.0, "mask": x > 2, "p": [0.5, 0.5],
        "indices": xp.asarray([[0, 1, 0], [1, 0, 1]]), "places": xp.asarray([1]), "axes": (1, 0),
        "times": (2, 1), "i": 0, "j": 1, "params": [xp.ones(2)], "lr": 0.1, "random": xp.random,
        "grads": [xp.ones(p.shape) for p in model.parameters()], "path": tmp_path / "file",
        "values": [1.0, 2.0], "weights": xp.ones((2, 3)), "tree": [x],
        "optree": pytest.importorskip("optree"),
    }  # fmt: skip


def run(code, variables):
    """The value of the last statement; None if it has none."""
    *first, last = ast.parse(code).body
    exec(compile(ast.Module(first, []), code, "exec"), variables)
    if isinstance(last, ast.Expr):
        return eval(compile(ast.Expression(last.value), code, "eval"), variables)
    return exec(compile(ast.Module([last], []), code, "exec"), variables)


def is_code(text):
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def check(found, expected):
    if isinstance(found, (arraygrad.Tensor, np.ndarray)) or isinstance(expected, np.ndarray):
        plain = found.detach().numpy() if isinstance(found, arraygrad.Tensor) else found
        np.testing.assert_allclose(plain, expected, rtol=1e-12)
    elif isinstance(expected, list) and isinstance(found[0], arraygrad.Tensor):
        assert [x.item() for x in found] == expected
    else:
        assert found == expected


def error(code, variables):
    with pytest.raises((AttributeError, TypeError, ValueError, RuntimeError)) as caught:
        run(code, variables)
    return str(caught.value)


@pytest.fixture(autouse=True)
def settings():
    """Some guesses change settings of the process; restore them."""
    threads = arraygrad.get_num_threads()
    with np.printoptions():
        yield
    arraygrad.set_num_threads(threads)


@pytest.mark.parametrize("row", ROWS)
def test_a_first_guess_works_or_says_what_to_write(row, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, *answers = row.split("  # ")
    answer = dict(x.split(": ", 1) for x in answers)
    if "names" in answer:
        assert f"{answer['names']!r}" in error(code, names(tmp_path))
    elif "write" in answer:
        message = error(code, names(tmp_path))
        assert answer["write"] in message
        if is_code(answer["write"]) and '"cuda"' not in answer["write"]:
            variables = names(tmp_path)
            run(answer.get("with", "None"), variables)
            found = run(answer["write"], variables)
            if "gives" in answer:
                check(found, run(answer["gives"], names(tmp_path)))
    else:
        found = run(code, names(tmp_path))
        check(found, run(answer["gives"], names(tmp_path)))


@pytest.mark.parametrize("row", [row for row in ROWS if "  # write: " in row])
def test_strict_mode_says_the_same(row, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, answer, *_ = row.split("  # ")
    variables = names(tmp_path)
    with arraygrad.strict():
        assert answer.removeprefix("write: ") in error(code, variables)


def test_a_call_that_no_library_has_lists_the_parameters():
    x = arraygrad.ones((2, 3))
    for call in (
        lambda: arraygrad.sum(x, x),
        lambda: arraygrad.sum(x, object()),
        lambda: arraygrad.sum(x, 0, 1, 2),
        lambda: arraygrad.sum(x, axes=0),
        lambda: arraygrad.transpose(x, 0, 5),
        lambda: nn.ReLU(slope=0.1),
    ):
        with pytest.raises(TypeError, match=r"^[\w.]+: .*; optional parameters: \w+"):
            call()


def test_a_size_is_an_int_in_every_other_respect():
    size = arraygrad.ones((2, 3)).size
    assert isinstance(size, int)
    assert (size, repr(size), f"{size}", size / 4, {6: "six"}[size]) == (6, "6", "6", 1.5, "six")
    x = arraygrad.ones(size, dtype=arraygrad.float32)
    assert x.shape == (6,)
    assert type(x.shape[0]) is int
    for y in (x / size, size * x, arraygrad.sum(x) / size):
        assert y.dtype == arraygrad.float32
    w = arraygrad.asarray([1.0, 3.0]).requires_grad_()
    (arraygrad.sum(w) / w.size).backward()
    assert w.grad.tolist() == [0.5, 0.5]


def test_the_table_has_more_than_500_guesses():
    assert len(ROWS) == len(set(ROWS)) > 500
    heads = [line for line in GUESSES.splitlines() if line.startswith("##")]
    assert [head.partition(":")[0][3:] for head in heads] == [
        "PyTorch", "PyTorch", "PyTorch", "PyTorch", "JAX", "NumPy", "Missing arguments",
        "HIPS autograd",
    ]  # fmt: skip
