"""Each decoder is what its paper says, keeps to the one interface, and leaves padded rows out."""

import diffusers
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import nn
from torch.nn import functional

from vla_course.data.action_tokens import ActionBins, quantile_bins, uniform_bins
from vla_course.errors import CourseError
from vla_course.models.decoders import (
    ACTDecoder,
    AutoregressiveDecoder,
    DiffusionDecoder,
    FlowDecoder,
    TokenDecoder,
    WaypointDecoder,
)
from vla_course.models.decoders.act import kl_divergence
from vla_course.models.decoders.denoiser import repeated
from vla_course.models.decoders.diffusion import add_noise, ddim_step, ddpm_step, squared_cosine
from vla_course.models.decoders.flow import euler, noisy_times
from vla_course.models.decoders.tokens import Bins
from vla_course.models.decoders.two_ways import hits, two_ways

B, D, T, A = 6, 10, 4, 3
DECODERS = {
    "l1": lambda: WaypointDecoder(D, T, A),
    "mse": lambda: WaypointDecoder(D, T, A, error="mse"),
    "tokens": lambda: TokenDecoder(D, T, A, bins=16, choice="sample"),
    "soft tokens": lambda: TokenDecoder(D, T, A, bins=16, spread=0.2, choice="expectation"),
    "autoregressive": lambda: AutoregressiveDecoder(D, T, A, bins=16, width=16, choice="sample"),
    "act": lambda: ACTDecoder(D, T, A, width=16),
    "ddim": lambda: DiffusionDecoder(D, T, A, width=16),
    "ddpm": lambda: DiffusionDecoder(D, T, A, width=16, steps=20, sampler="ddpm", target="noise"),
    "flow": lambda: FlowDecoder(D, T, A, width=16),
}


def made(name: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        decoder = DECODERS[name]()
    if hasattr(decoder, "bins"):
        decoder.bins.set(uniform_bins(np.full(A, -2.0), np.full(A, 2.0), 16))
    return decoder


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Context, actions, and which rows count: 4, 3, 2, 1, 4 and 4 of them."""
    keep = torch.arange(T) < torch.tensor([4, 3, 2, 1, 4, 4]).unsqueeze(1)
    return torch.randn(B, D, generator=seeded(1)), torch.randn(B, T, A, generator=seeded(2)), keep


# ---- the interface


@pytest.mark.parametrize("name", DECODERS)
def test_every_decoder_trains_and_acts_from_the_generator_alone(name, batch):
    decoder, (context, actions, keep) = made(name), batch
    state = torch.get_rng_state()
    loss = decoder.loss(context, actions, keep, seeded())
    loss.backward()
    assert loss.shape == () and torch.isfinite(loss)
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in decoder.parameters())
    first, again, other = (decoder.sample(context, seeded(s)) for s in (3, 3, 4))
    assert first.shape == (B, T, A) and torch.isfinite(first).all()
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (name in ("l1", "mse", "soft tokens", "act"))  # these draw nothing
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", DECODERS)
def test_padded_rows_count_nothing(name, batch):
    decoder, (context, actions, keep) = made(name), batch
    changed = torch.where(keep.unsqueeze(-1), actions, actions + 50)
    assert decoder.loss(context, actions, keep, seeded()).item() == pytest.approx(
        decoder.loss(context, changed, keep, seeded()).item(), rel=1e-6
    )
    kept_changed = actions.clone()
    kept_changed[3, 0] += 1.0  # the only row of its chunk that counts
    assert decoder.loss(context, actions, keep, seeded()) != decoder.loss(context, kept_changed, keep, seeded())
    assert decoder.loss(context, actions, torch.zeros_like(keep), seeded()) <= 1e3  # none counts: finite


@pytest.mark.parametrize("name", DECODERS)
def test_what_torch_would_broadcast_is_refused(name, batch):
    decoder, (context, actions, keep) = made(name), batch
    for wrong, mask, message in (
        (actions[:, :1], keep[:, :1], r"\(6, 1, 3\).*\(B, 4, 3\)"),
        (actions, keep[:1], r"keep has shape \(1, 4\)"),
        (actions, keep.float(), "booleans"),
    ):
        with pytest.raises(CourseError, match=message) as caught:
            decoder.loss(context, wrong, mask)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: WaypointDecoder(D, T, A, error="l2"), "unknown error 'l2'.*l1, mse"),
        (lambda: TokenDecoder(D, T, A, choice="mode"), "unknown choice 'mode'"),
        (
            lambda: AutoregressiveDecoder(D, T, A, choice="greedy"),
            "unknown choice 'greedy'.*argmax, expectation, sample",
        ),
        (lambda: DiffusionDecoder(D, T, A, sampler="euler"), "unknown sampler 'euler'"),
        (lambda: DiffusionDecoder(D, T, A, target="actions"), "unknown target 'actions'.*noise, velocity"),
        (lambda: DiffusionDecoder(D, T, A, steps=100, sampling_steps=30), "30 sampling steps of 100.*divides"),
        (lambda: TokenDecoder(D, T, A).sample(torch.zeros(1, D)), "no bins yet.*bins.set"),
        (lambda: TokenDecoder(D, T, A).bins.set(uniform_bins(np.zeros(7), np.ones(7))), "for 7 columns.*3 columns"),
        (lambda: TokenDecoder(D, T, A, bins=8).bins.set(uniform_bins(np.zeros(A), np.ones(A))), "256 each.*8 each"),
    ],
)
def test_wrong_settings_are_named(call, message):
    with pytest.raises(CourseError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


# ---- regression


def test_without_padding_the_errors_are_torchs_own(batch):
    context, actions, keep = batch
    for name, theirs in (("l1", functional.l1_loss), ("mse", functional.mse_loss)):
        decoder = made(name)
        expected = theirs(decoder(context), actions)
        assert torch.allclose(decoder.loss(context, actions, torch.ones_like(keep)), expected)


# ---- tokens


def test_hard_labels_give_torchs_cross_entropy_and_a_spread_of_almost_nothing_the_same(batch):
    context, actions, keep = batch
    decoder = made("tokens")
    logits, tokens = decoder(context), decoder.bins.encode(actions)
    expected = functional.cross_entropy(logits[keep].flatten(0, 1), tokens[keep].flatten())
    assert torch.allclose(decoder.loss(context, actions, keep), expected, atol=1e-5)
    decoder.bins.spread = 1e-4
    assert torch.allclose(decoder.loss(context, actions, keep), expected, atol=1e-5)


recorded = st.sampled_from(["uniform", "quantile"])


@settings(max_examples=40, deadline=None)
@given(recorded, st.integers(2, 200), st.integers(0, 1000))
def test_the_module_is_the_codec(kind, count, seed):
    rng = np.random.default_rng(seed)
    actions = np.concatenate([rng.normal(size=(300, 2)), rng.choice([-1.0, 1.0], (300, 1))], axis=1).astype(np.float32)
    codec = uniform_bins(actions.min(0), actions.max(0), count) if kind == "uniform" else quantile_bins(actions, count)
    codec = ActionBins(codec.edges.astype(np.float32).astype(np.float64))  # the policy's file holds float32
    bins = Bins(3, count, spread=0.0)
    bins.set(codec)
    tokens = bins.encode(torch.from_numpy(actions))
    assert np.array_equal(tokens.numpy(), codec.encode(actions))
    assert np.allclose(bins.decode(tokens).numpy(), codec.decode(tokens.numpy()), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(recorded, st.floats(0.1, 0.5), st.integers(0, 1000))
def test_soft_labels_are_centered_on_the_action(kind, spread, seed):
    rng = np.random.default_rng(seed)
    actions = np.stack([rng.uniform(-3, 3, 2000), rng.choice([-1.0, 1.0], 2000)], axis=1)
    codec = uniform_bins(actions.min(0), actions.max(0), 256) if kind == "uniform" else quantile_bins(actions)
    bins = Bins(2, 256, spread)
    bins.set(codec)
    chosen = torch.tensor([[0.0, -1.0], [1.234, 1.0]])
    labels = bins.labels(chosen)
    assert torch.allclose(labels.sum(-1), torch.ones(2, 2), atol=1e-5)
    best = bins.decode(labels.argmax(-1))
    assert torch.allclose(best, chosen, atol=0.05)
    moment = (labels * bins.centers).sum(-1)[:, 0]  # finer than the bins, where they lie evenly
    assert torch.allclose(moment, chosen[:, 0], atol=0.01 if kind == "uniform" else 0.3)


def test_the_choices_take_the_likeliest_the_mean_and_a_draw():
    decoder = TokenDecoder(1, 1, 1, bins=4)
    decoder.bins.set(uniform_bins(np.array([-2.0]), np.array([2.0]), 4))  # centers -1.5, -0.5, 0.5, 1.5
    likely = torch.tensor([0.4, 0.1, 0.2, 0.3])
    with torch.no_grad():
        decoder.layers[-1].weight.zero_()
        decoder.layers[-1].bias.copy_(likely.log())
    results = {}
    for choice in ("argmax", "expectation", "sample"):
        decoder.choice = choice
        results[choice] = decoder.sample(torch.zeros(4000, 1), seeded()).flatten()
    assert (results["argmax"] == -1.5).all()
    assert torch.allclose(results["expectation"], torch.tensor(-0.1))
    counts = torch.bincount((results["sample"] + 1.5).long(), minlength=4)
    assert stats.chisquare(counts.numpy(), 4000 * likely.numpy() / likely.sum().item()).pvalue > 1e-4


def test_the_bins_are_saved_with_the_weights(batch):
    decoder, fresh = made("soft tokens"), DECODERS["soft tokens"]()
    fresh.load_state_dict(decoder.state_dict())
    assert torch.equal(fresh.sample(batch[0]), decoder.sample(batch[0]))


# ---- autoregressive tokens


def test_the_token_nearest_to_the_mean_is_written_and_told_to_those_after_it(batch):
    decoder = made("autoregressive")
    decoder.choice = "expectation"
    tokens, logits = decoder.write(batch[0])
    assert torch.allclose(decoder(batch[0], tokens), logits, atol=1e-5)
    likely, centers = logits.softmax(-1), decoder.bins.centers
    mean = torch.stack([likely[..., a, :] @ centers[a] for a in range(A)], dim=-1)
    assert (decoder.sample(batch[0]) - mean).abs().max() <= 0.125 + 1e-5  # half of a bin: 4 / 16 / 2


def test_chunks_shown_several_times_give_the_mean_of_the_losses_of_each_draw(batch):
    context, actions, keep = batch
    for cls in (FlowDecoder, DiffusionDecoder):
        decoder = cls(D, T, A, width=16, draws=1)
        shown = repeated(3, context, actions, keep)
        together = decoder.loss(*shown, seeded())
        decoder.draws = 3
        assert torch.equal(decoder.loss(context, actions, keep, seeded()), together)
        assert shown[0].shape == (3 * B, D) and torch.equal(shown[0][B : 2 * B], context)


@pytest.mark.parametrize("choice", ["argmax", "sample"])
def test_teacher_forcing_gives_the_logits_of_writing_step_by_step(choice, batch):
    decoder = made("autoregressive")
    decoder.choice = choice
    tokens, logits = decoder.write(batch[0], seeded())
    assert tokens.shape == (B, T, A) and tokens.unique().numel() > 1
    assert torch.allclose(decoder(batch[0], tokens), logits, atol=1e-5)
    assert torch.equal(decoder.sample(batch[0], seeded()), decoder.bins.decode(tokens))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, T * A - 1))
def test_no_token_sees_itself_or_what_comes_later(place):
    decoder = made("autoregressive")
    context, tokens = torch.randn(2, D, generator=seeded()), torch.randint(16, (2, T * A), generator=seeded())
    changed = tokens.clone()
    changed[:, place] = (changed[:, place] + 1) % 16
    before, after = (decoder(context, x.unflatten(1, (T, A))).flatten(1, 2) for x in (tokens, changed))
    assert torch.allclose(before[:, : place + 1], after[:, : place + 1], atol=1e-6)
    moved = (before - after)[:, place + 1 :].abs().amax(-1)  # (2, tokens after the place)
    assert (moved > 1e-5).all()


# ---- ACT


def test_the_kl_term_is_torchs_own():
    mean, log_variance = torch.randn(5, 8, generator=seeded()), torch.randn(5, 8, generator=seeded(1))
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(-1)
    assert torch.allclose(kl_divergence(mean, log_variance), expected, atol=1e-5)


def test_acts_loss_is_l1_plus_beta_kl_and_it_acts_at_z_of_zero(batch):
    decoder, (context, actions, keep) = made("act"), batch
    mean, log_variance = decoder.posterior(context, actions, keep)
    z = mean + torch.randn(mean.shape, generator=seeded()) * (log_variance / 2).exp()
    error = (decoder.decode(context, z) - actions).abs()[keep].mean()
    expected = error + 10 * kl_divergence(mean, log_variance).mean()
    assert torch.allclose(decoder.loss(context, actions, keep, seeded()), expected, atol=1e-5)
    assert torch.equal(decoder.sample(context), decoder.decode(context, torch.zeros(B, 32)))


# ---- diffusion


class Exact(nn.Module):
    """What a perfect network would say of x when the actions come from N(mean, deviation^2)."""

    def __init__(self, decoder: DiffusionDecoder, mean: float, deviation: float):
        super().__init__()
        self.kept, self.target, self.mean, self.deviation = decoder.kept, decoder.target, mean, deviation

    def forward(self, x, time, context):
        kept = self.kept[(time * len(self.kept)).round().long() - 1].view(-1, 1, 1)
        offset = (x - kept.sqrt() * self.mean) / (kept * self.deviation**2 + 1 - kept)  # over the variance of x
        noise, action = (1 - kept).sqrt() * offset, self.mean + kept.sqrt() * self.deviation**2 * offset
        return noise if self.target == "noise" else kept.sqrt() * noise - (1 - kept).sqrt() * action


@pytest.mark.parametrize("target", ["noise", "velocity"])
@pytest.mark.parametrize("sampler", ["ddpm", "ddim"])
def test_with_a_perfect_network_both_samplers_reach_one_point_and_a_gaussian(sampler, target):
    decoder = DiffusionDecoder(1, 2, 2, sampler=sampler, sampling_steps=50, target=target)
    for mean, deviation in ((0.7, 0.0), (-0.4, 0.5)):
        decoder.network = Exact(decoder, mean, deviation)
        found = decoder.sample(torch.zeros(3000, 1), seeded())
        assert found.mean().item() == pytest.approx(mean, abs=0.02)
        assert found.std().item() == pytest.approx(deviation, abs=0.02 if deviation else 1e-3)


@pytest.mark.parametrize("target", ["noise", "velocity"])
def test_the_loss_of_a_perfect_network_on_one_point_is_zero(target):
    decoder = DiffusionDecoder(1, 2, 2, target=target)
    decoder.network = Exact(decoder, 0.7, 0.0)
    actions, keep = torch.full((200, 2, 2), 0.7), torch.ones(200, 2, dtype=torch.bool)
    assert decoder.loss(torch.zeros(200, 1), actions, keep, seeded()) < 1e-4
    assert decoder.loss(torch.zeros(200, 1), actions + 0.5, keep, seeded()) > 1e-2


def test_a_ddpm_step_draws_from_the_posterior_that_bayes_gives():
    kept = squared_cosine(50).double()
    for t in (1, 7, 30, 49):
        x, clean = torch.tensor([[[0.3]]]).double(), torch.tensor([[[-0.8]]]).double()
        alpha = kept[t] / kept[t - 1]
        # p(x before | x, clean): two Gaussians in "x before", multiplied; precisions add.
        forward, prior = alpha / (1 - alpha), 1 / (1 - kept[t - 1])
        mean = (forward * x / alpha.sqrt() + prior * kept[t - 1].sqrt() * clean) / (forward + prior)
        zero, one = torch.zeros_like(x), torch.ones_like(x)
        assert torch.allclose(ddpm_step(x, clean, kept[t], kept[t - 1], zero), mean)
        spread = ddpm_step(x, clean, kept[t], kept[t - 1], one) - mean
        assert torch.allclose(spread, (forward + prior).rsqrt())


@given(st.integers(2, 200))
def test_the_schedule_falls_from_clean_to_noise(steps):
    kept = squared_cosine(steps)
    assert (kept.diff() < 0).all() and kept[-1] < 0.01 and ((kept > 0) & (kept < 1)).all()
    middle = steps // 2
    cosine = np.cos((middle / steps + 0.008) / 1.008 * np.pi / 2) ** 2 / np.cos(0.008 / 1.008 * np.pi / 2) ** 2
    assert kept[middle - 1].item() == pytest.approx(cosine, rel=1e-4)


def test_schedule_and_steps_are_those_of_diffusers():
    settings = {"num_train_timesteps": 100, "beta_schedule": "squaredcos_cap_v2", "clip_sample": False}
    kept = squared_cosine(100)
    ddpm = diffusers.DDPMScheduler(**settings)
    ddim = diffusers.DDIMScheduler(**settings, timestep_spacing="trailing")
    ddim.set_timesteps(10)
    assert torch.allclose(ddpm.alphas_cumprod, kept, atol=1e-6)
    assert ddim.timesteps.tolist() == list(range(99, -1, -10))
    x, noise = torch.randn(2, 4, 7, generator=seeded()), torch.randn(2, 4, 7, generator=seeded(1))
    for t in (0, 9, 49, 89):
        assert torch.allclose(add_noise(x, noise, kept[t]), ddpm.add_noise(x, noise, torch.tensor(t)), atol=1e-6)
        clean = (x - (1 - kept[t]).sqrt() * noise) / kept[t].sqrt()
        one_before, ten_before = (kept[t - k] if t >= k else torch.tensor(1.0) for k in (1, 10))
        theirs = ddpm.step(noise, t, x, generator=seeded(2)).prev_sample
        fresh = torch.randn(x.shape, generator=seeded(2)) if t > 0 else torch.zeros_like(x)
        assert torch.allclose(ddpm_step(x, clean, kept[t], one_before, fresh), theirs, atol=1e-4)
        theirs = ddim.step(noise, t, x).prev_sample
        assert torch.allclose(ddim_step(x, clean, kept[t], ten_before), theirs, atol=1e-4)


@pytest.mark.parametrize(("target", "theirs_name"), [("noise", "epsilon"), ("velocity", "v_prediction")])
@pytest.mark.parametrize("sampler", ["ddpm", "ddim"])
def test_whole_samples_are_those_of_diffusers(sampler, target, theirs_name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        decoder = DiffusionDecoder(D, T, A, width=16, sampler=sampler, target=target)
    options = {"beta_schedule": "squaredcos_cap_v2", "clip_sample_range": 5.0, "prediction_type": theirs_name}
    if sampler == "ddpm":
        theirs, extra = diffusers.DDPMScheduler(100, **options), {"generator": seeded()}
        theirs.set_timesteps(100)
    else:
        theirs = diffusers.DDIMScheduler(100, **options, timestep_spacing="trailing")
        theirs.set_timesteps(10)
        extra = {"use_clipped_model_output": True}
    context = torch.randn(B, D, generator=seeded(1))
    x = torch.randn(B, T, A, generator=extra.get("generator", seeded()))
    with torch.no_grad():
        for t in theirs.timesteps:
            predicted = decoder.network(x, (t.expand(B) + 1) / 100, context)
            x = theirs.step(predicted, t, x, **extra).prev_sample
    assert torch.allclose(decoder.sample(context, seeded()), x, atol=1e-4)


# ---- flow matching


@settings(max_examples=30, deadline=None)
@given(st.floats(-3, 3), st.integers(1, 20))
def test_the_exact_field_of_one_point_leads_to_it_in_any_number_of_steps(point, steps):
    noise = torch.randn(50, 2, 2, generator=seeded())
    found = euler(lambda x, time: (x - point) / time.view(-1, 1, 1), noise, steps)
    assert torch.allclose(found, torch.full_like(found, point), atol=1e-4)


def test_the_exact_field_of_a_gaussian_carries_noise_to_it_and_the_error_halves_with_the_step():
    mean, deviation = 0.7, 0.3

    def velocity(x, time):  # E[noise - action | x]
        t = time.view(-1, 1)
        offset = (x - (1 - t) * mean) / (t**2 + (1 - t) ** 2 * deviation**2)
        return t * offset - (mean + (1 - t) * deviation**2 * offset)

    noise = torch.randn(500, 1, generator=seeded(), dtype=torch.float64)
    exact = mean + deviation * noise
    errors = [(euler(velocity, noise, steps) - exact).abs().max().item() for steps in (50, 100, 200)]
    assert errors[2] < 0.03 and errors[0] / errors[1] == pytest.approx(2, abs=0.3)
    assert errors[1] / errors[2] == pytest.approx(2, abs=0.3)


def test_times_are_those_of_pi0():
    times = noisy_times(5000, seeded(), torch.device("cpu"))
    assert ((times >= 0.001) & (times <= 1)).all()
    assert stats.kstest((times.numpy() - 0.001) / 0.999, stats.beta(1.5, 1).cdf).pvalue > 1e-3


@pytest.mark.parametrize("make", [FlowDecoder, DiffusionDecoder], ids=lambda make: make.__name__)
def test_a_lower_temperature_brings_samples_closer_together(make):
    """At 0 there is one sample; the noise is the same for all temperatures, so the draws can be compared."""
    decoder, context, scatter = make(3, 4, 2, width=16), torch.zeros(200, 3), []
    for temperature in (0.0, 0.5, 1.0):
        decoder.temperature = temperature
        scatter.append(decoder.sample(context, seeded()).std(0).mean())
    assert scatter[0] == 0 and 0 < scatter[1] < scatter[2]


# ---- two ways around an obstacle


def test_the_demonstrations_go_around_and_the_straight_way_does_not():
    context, paths = two_ways(500, seeded())
    assert not hits(context, paths).any()
    assert 0.4 < (paths[:, 4, 1] > context[:, 0]).float().mean() < 0.6
    mean = torch.stack([paths[0, :, 0], context[0].expand(8)], dim=-1)
    assert hits(context[:1], mean.unsqueeze(0)).all()
    jump = torch.tensor([[[-0.2, 0.8], [0.2, -0.8]]])  # no point is near, the way between is
    assert hits(torch.zeros(1, 1), jump).all()


TOY = {
    "mse": (lambda: WaypointDecoder(1, 8, 2, error="mse"), 150),
    "expectation": (lambda: TokenDecoder(1, 8, 2, bins=32, choice="expectation"), 150),
    "parallel draws": (lambda: TokenDecoder(1, 8, 2, bins=32, choice="sample"), 150),
    "autoregressive": (lambda: AutoregressiveDecoder(1, 8, 2, bins=32, width=32, choice="sample"), 200),
    "diffusion": (lambda: DiffusionDecoder(1, 8, 2, width=64, target="noise", draws=1), 300),
    "flow": (lambda: FlowDecoder(1, 8, 2, width=64, draws=1), 300),
    "cool diffusion": (lambda: DiffusionDecoder(1, 8, 2, width=128, temperature=0.5), 400),
    "cool flow": (lambda: FlowDecoder(1, 8, 2, width=64, temperature=0.5), 300),
}


def toy(name: str) -> tuple[float, float]:
    """Train on the toy; the share of paths that hit the obstacle, and the share that pass on its left."""
    make, steps = TOY[name]
    generator = seeded()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        decoder = make()
    if hasattr(decoder, "bins"):
        decoder.bins.set(uniform_bins(np.full(2, -1.25), np.full(2, 1.25), 32))
    optimizer = torch.optim.AdamW(decoder.parameters(), 5e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=steps)
    for _ in range(steps):
        context, paths = two_ways(64, generator)
        optimizer.zero_grad()
        decoder.loss(context, paths, torch.ones(64, 8, dtype=torch.bool), generator).backward()
        nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    context, _ = two_ways(300, seeded(9))
    with torch.no_grad():
        paths = decoder.sample(context, generator)
    return hits(context, paths).float().mean().item(), (paths[:, 4, 1] > context[:, 0]).float().mean().item()


@pytest.mark.parametrize("name", ["mse", "expectation", "parallel draws"])
def test_a_mean_goes_through_the_obstacle_and_so_do_numbers_drawn_each_for_itself(name):
    assert toy(name)[0] > 0.5


@pytest.mark.parametrize("name", ["autoregressive", "diffusion", "flow", "cool diffusion", "cool flow"])
def test_a_distribution_of_chunks_goes_around_it_on_both_sides(name):
    hit, left = toy(name)
    assert hit < 0.3 and 0.2 < left < 0.8
