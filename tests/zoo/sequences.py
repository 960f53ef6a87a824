"""Small versions of networks for sequences: attention of every kind, recurrence, state spaces."""

import math

import torch
from torch import Tensor, nn


class Patches(nn.Module):
    """Images to a sequence of patches, with a class token and learned positions."""

    def __init__(self, width: int, token: bool = True):
        super().__init__()
        self.proj = nn.Conv2d(3, width, 4, 4)
        self.cls_token = nn.Parameter(torch.randn(1, 1, width)) if token else None
        self.pos_embed = nn.Parameter(0.1 * torch.randn(1, 16 + token, width))

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj(x).flatten(2).transpose(1, 2)
        if self.cls_token is not None:
            x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1)
        return x + self.pos_embed


class Attention(nn.Module):
    """One matrix for queries, keys and values, as in most code."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        q, k, v = self.qkv(x).reshape(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        y = ((q @ k.transpose(-2, -1)) / (width // self.heads) ** 0.5).softmax(-1) @ v
        return self.proj(y.transpose(1, 2).reshape(n, length, width))


class Perceptron(nn.Module):
    """Two linear layers."""

    def __init__(self, width: int, inner: int):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class ViT(nn.Module):
    """A. Dosovitskiy et al., ViT, ICLR 2021."""

    def __init__(self, width: int = 16):
        super().__init__()
        self.patches = Patches(width)
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, 2)
        self.norm2, self.mlp = nn.LayerNorm(width), Perceptron(width, 32)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x)
        x = x + self.attention(self.norm1(x))
        x = x + self.mlp(self.norm2(x))
        return self.head(self.norm(x)[:, 0])


class Mixer(nn.Module):
    """I. Tolstikhin et al., MLP-Mixer, 2021: linear layers along patches, then along channels."""

    def __init__(self, width: int = 16):
        super().__init__()
        self.patches = Patches(width, token=False)
        self.norm1, self.tokens = nn.LayerNorm(width), Perceptron(16, 24)
        self.norm2, self.channels = nn.LayerNorm(width), Perceptron(width, 32)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x)
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        x = x + self.channels(self.norm2(x))
        return self.head(x.mean(1))


class WindowAttention(nn.Module):
    """Attention within windows, with learned biases of relative positions."""

    def __init__(self, width: int, window: int, heads: int, shift: int):
        super().__init__()
        self.window, self.heads, self.shift = window, heads, shift
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.relative_position_bias_table = nn.Parameter(0.1 * torch.randn((2 * window - 1) ** 2, heads))
        at = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
        relative = at[:, :, None] - at[:, None, :] + window - 1
        self.register_buffer("relative_position_index", relative[0] * (2 * window - 1) + relative[1])

    def forward(self, x: Tensor) -> Tensor:
        n, h, w, c = x.shape
        m = self.window
        x = torch.roll(x, (-self.shift, -self.shift), (1, 2))
        x = x.view(n, h // m, m, w // m, m, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, m * m, c)
        q, k, v = self.qkv(x).reshape(len(x), m * m, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        bias = self.relative_position_bias_table[self.relative_position_index.view(-1)]
        bias = bias.view(m * m, m * m, -1).permute(2, 0, 1)
        weights = (q @ k.transpose(-2, -1) / (c // self.heads) ** 0.5 + bias).softmax(-1)
        x = self.proj((weights @ v).transpose(1, 2).reshape(-1, m * m, c))
        x = x.view(n, h // m, w // m, m, m, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c)
        return torch.roll(x, (self.shift, self.shift), (1, 2))


class SwinBlock(nn.Module):
    """Windows, then their perceptron."""

    def __init__(self, width: int, shift: int):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(width), WindowAttention(width, 4, 2, shift)
        self.norm2, self.mlp = nn.LayerNorm(width), Perceptron(width, 4 * width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Swin(nn.Module):
    """Z. Liu et al., Swin Transformer, ICCV 2021: shifted windows, patches merged in between."""

    def __init__(self, width: int = 12):
        super().__init__()
        self.embed, self.norm0 = nn.Conv2d(3, width, 2, 2), nn.LayerNorm(width)
        self.stage1 = nn.Sequential(SwinBlock(width, 0), SwinBlock(width, 2))
        self.merge_norm, self.reduction = nn.LayerNorm(4 * width), nn.Linear(4 * width, 2 * width, bias=False)
        self.stage2 = SwinBlock(2 * width, 0)
        self.norm, self.head = nn.LayerNorm(2 * width), nn.Linear(2 * width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage1(self.norm0(self.embed(x).permute(0, 2, 3, 1)))
        x = torch.cat([x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]], -1)
        x = self.stage2(self.reduction(self.merge_norm(x)))
        return self.head(self.norm(x).mean((1, 2)))


class Conv1D(nn.Module):
    """GPT-2's linear layer, whose weight is (inputs, outputs)."""

    def __init__(self, outputs: int, inputs: int):
        super().__init__()
        self.nf = outputs
        self.weight, self.bias = nn.Parameter(0.1 * torch.randn(inputs, outputs)), nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x.reshape(-1, x.shape[-1]), self.weight).view(*x.shape[:-1], self.nf)


class GPT2(nn.Module):
    """A. Radford et al., GPT-2, 2019: Conv1D, a causal mask, the output tied to the embedding."""

    def __init__(self, width: int = 16, heads: int = 2):
        super().__init__()
        self.wte, self.wpe, self.heads = nn.Embedding(32, width), nn.Embedding(12, width), heads
        self.ln_1, self.c_attn, self.c_proj = nn.LayerNorm(width), Conv1D(3 * width, width), Conv1D(width, width)
        self.ln_2, self.c_fc, self.mlp_proj = nn.LayerNorm(width), Conv1D(4 * width, width), Conv1D(width, 4 * width)
        self.ln_f, self.lm_head = nn.LayerNorm(width), nn.Linear(width, 32, bias=False)
        self.lm_head.weight = self.wte.weight
        self.register_buffer("bias", torch.tril(torch.ones(12, 12, dtype=torch.bool)), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        x = self.wte(tokens) + self.wpe(torch.arange(length))
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in self.c_attn(self.ln_1(x)).chunk(3, -1))
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        weights = scores.masked_fill(~self.bias[:length, :length], -torch.inf).softmax(-1)
        x = x + self.c_proj((weights @ v).transpose(1, 2).flatten(2))
        x = x + self.mlp_proj(nn.functional.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))
        return self.lm_head(self.ln_f(x))


class RMSNorm(nn.Module):
    """Llama's norm, written by hand as in most code."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


def rotated(x: Tensor, frequencies: Tensor) -> Tensor:
    angles = torch.arange(x.shape[-2])[:, None] * frequencies
    cos, sin = (torch.cat([f(angles)] * 2, -1) for f in (torch.cos, torch.sin))
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Llama(nn.Module):
    """H. Touvron et al., LLaMA, 2023: RMS norm, rotary positions, grouped queries, a gated perceptron."""

    def __init__(self, width: int = 16, heads: int = 4, keys: int = 2, inner: int = 24):
        super().__init__()
        self.heads, self.keys, each = heads, keys, width // heads
        self.embed_tokens, self.lm_head = nn.Embedding(32, width), nn.Linear(width, 32, bias=False)
        self.input_layernorm, self.post_attention_layernorm, self.norm = (RMSNorm(width) for _ in range(3))
        self.q_proj, self.o_proj = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
        self.k_proj, self.v_proj = (nn.Linear(width, keys * each, bias=False) for _ in range(2))
        self.gate_proj, self.up_proj = (nn.Linear(width, inner, bias=False) for _ in range(2))
        self.down_proj = nn.Linear(inner, width, bias=False)
        self.register_buffer("inv_freq", 1e4 ** (-torch.arange(0, each, 2) / each), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed_tokens(tokens)
        y = self.input_layernorm(x)
        q, k, v = (
            layer(y).unflatten(-1, (n, -1)).transpose(1, 2)
            for layer, n in ((self.q_proj, self.heads), (self.k_proj, self.keys), (self.v_proj, self.keys))
        )
        q, k = rotated(q, self.inv_freq), rotated(k, self.inv_freq)
        k, v = (t.repeat_interleave(self.heads // self.keys, 1) for t in (k, v))
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o_proj(y.transpose(1, 2).flatten(2))
        y = self.post_attention_layernorm(x)
        x = x + self.down_proj(nn.functional.silu(self.gate_proj(y)) * self.up_proj(y))
        return self.lm_head(self.norm(x))


class BERT(nn.Module):
    """J. Devlin et al., BERT, 2018: torch's own encoder layers, three embeddings, two inputs."""

    def __init__(self, width: int = 16):
        super().__init__()
        self.words, self.kinds = nn.Embedding(32, width, padding_idx=0), nn.Embedding(2, width)
        self.places = nn.Embedding(12, width)
        self.register_buffer("position_ids", torch.arange(12)[None])
        layer = nn.TransformerEncoderLayer(width, 2, 32, batch_first=True, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.pooler, self.head = nn.Linear(width, width), nn.Linear(width, 2)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor) -> dict[str, Tensor]:
        x = self.words(input_ids) + self.kinds(token_type_ids)
        x = self.encoder(x + self.places(self.position_ids[:, : input_ids.shape[1]]))
        return {"last_hidden_state": x, "logits": self.head(self.pooler(x[:, 0]).tanh())}


class Translator(nn.Module):
    """A. Vaswani et al., Attention Is All You Need, 2017: torch's own, with fixed codes of positions."""

    def __init__(self, width: int = 16):
        super().__init__()
        self.embedding, self.head = nn.Embedding(32, width), nn.Linear(width, 32)
        self.transformer = nn.Transformer(width, 2, 1, 1, 32, batch_first=True)
        rate = torch.exp(-math.log(1e4) * torch.arange(0, width, 2) / width)
        angles = torch.arange(12)[:, None] * rate
        self.register_buffer("pe", torch.stack([angles.sin(), angles.cos()], -1).flatten(1))

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        source, target = (self.embedding(x) + self.pe[: x.shape[1]] for x in (source, target))
        return self.head(self.transformer(source, target, tgt_mask=mask))


class Perceiver(nn.Module):
    """A. Jaegle et al., Perceiver, ICML 2021: few learned queries look at a long input."""

    def __init__(self, width: int = 16):
        super().__init__()
        self.latents = nn.Parameter(torch.randn(4, width))
        self.inputs, self.cross = nn.Linear(3, width), nn.MultiheadAttention(width, 2, batch_first=True)
        self.norm, self.mlp, self.head = nn.LayerNorm(width), Perceptron(width, 32), nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.inputs(x.flatten(2).transpose(1, 2))
        y, _ = self.cross(self.latents.expand(len(x), -1, -1), seen, seen)
        return self.head((y + self.mlp(self.norm(y))).mean(1))


class MixtureOfExperts(nn.Module):
    """N. Shazeer et al., 2017: a gate picks two of four perceptrons for each token."""

    def __init__(self, width: int = 12):
        super().__init__()
        self.embedding, self.gate = nn.Embedding(32, width), nn.Linear(width, 4)
        self.experts, self.head = nn.ModuleList(Perceptron(width, 16) for _ in range(4)), nn.Linear(width, 32)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        top, which = self.gate(x).softmax(-1).topk(2, -1)
        weights = torch.zeros(*x.shape[:-1], 4).scatter(-1, which, top)
        return self.head(x + sum(weights[..., i, None] * expert(x) for i, expert in enumerate(self.experts)))


class Mamba(nn.Module):
    """A. Gu and T. Dao, Mamba, 2023: a selective state space, step by step."""

    def __init__(self, width: int = 8, state: int = 4, rank: int = 2):
        super().__init__()
        inner = 2 * width
        self.state, self.rank = state, rank
        self.embedding, self.norm = nn.Embedding(32, width), RMSNorm(width)
        self.in_proj, self.out_proj = nn.Linear(width, 2 * inner, bias=False), nn.Linear(inner, width, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, 3, groups=inner, padding=2)
        self.x_proj, self.dt_proj = nn.Linear(inner, rank + 2 * state, bias=False), nn.Linear(rank, inner)
        self.A_log = nn.Parameter(torch.arange(1, state + 1).float().repeat(inner, 1).log())
        self.D, self.head = nn.Parameter(torch.ones(inner)), nn.Linear(width, 32, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        kept = self.embedding(tokens)
        x, gate = self.in_proj(self.norm(kept)).chunk(2, -1)
        x = nn.functional.silu(self.conv1d(x.transpose(1, 2))[..., : x.shape[1]].transpose(1, 2))
        delta, b, c = self.x_proj(x).split([self.rank, self.state, self.state], -1)
        delta = nn.functional.softplus(self.dt_proj(delta))
        decay = torch.exp(delta[..., None] * -self.A_log.exp())
        driven = delta[..., None] * b[:, :, None] * x[..., None]
        h, outputs = torch.zeros_like(driven[:, 0]), []
        for t in range(x.shape[1]):
            h = decay[:, t] * h + driven[:, t]
            outputs.append((h * c[:, t, None]).sum(-1))
        y = (torch.stack(outputs, 1) + x * self.D) * nn.functional.silu(gate)
        return self.head(kept + self.out_proj(y))


class Recurrent(nn.Module):
    """S. Hochreiter and J. Schmidhuber, LSTM, 1997 (or a GRU): embedding, recurrence, classifier."""

    def __init__(self, kind: type = nn.LSTM, both: bool = False):
        super().__init__()
        self.embedding, self.rnn = nn.Embedding(32, 8), kind(8, 12, 2, batch_first=True, bidirectional=both)
        self.head = nn.Linear(24 if both else 12, 10)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.rnn(self.embedding(tokens))[0][:, -1])


class CellByCell(nn.Module):
    """A GRU cell in a loop of the user's own."""

    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.GRUCell(4, 12), nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        state = x.new_zeros(len(x), 12)
        for step in x.unbind(1):
            state = self.cell(step, state)
        return self.head(state)


class TextCNN(nn.Module):
    """Y. Kim, Convolutional Neural Networks for Sentence Classification, EMNLP 2014."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(32, 8)
        self.convs, self.head = nn.ModuleList(nn.Conv1d(8, 8, k) for k in (2, 3, 4)), nn.Linear(24, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens).transpose(1, 2)
        return self.head(torch.cat([conv(x).relu().amax(-1) for conv in self.convs], 1))
