"""Drives `rto serve` with the official `openai` package: openai-client.py ADDRESS TOKEN. Silent where all is well."""

import concurrent.futures
import sys

import openai

address, token = sys.argv[1:]
client = openai.OpenAI(base_url=address + "/v1", api_key=token, max_retries=0)
model = client.models.list().data[0].id
assert client.models.retrieve(model).id == model

messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Hi é"}]}]
settings = dict(model=model, messages=messages, max_tokens=12, temperature=0.8, top_p=0.9, user="somebody")

# A chat as a whole, and the same while it comes.
whole = client.chat.completions.create(**settings, seed=5, n=2, logprobs=True, top_logprobs=3)
assert [c.index for c in whole.choices] == [0, 1]
assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
texts = ["", ""]
reasons = [None, None]
scores = [[], []]
usage = None
with client.chat.completions.create(
    **settings, seed=5, n=2, logprobs=True, top_logprobs=3, stream=True, stream_options={"include_usage": True}
) as stream:
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            reasons[choice.index] = choice.finish_reason or reasons[choice.index]
            if choice.logprobs:
                scores[choice.index] += choice.logprobs.content
assert texts == [c.message.content for c in whole.choices], (texts, whole)
assert reasons == [c.finish_reason for c in whole.choices]
assert scores == [c.logprobs.content for c in whole.choices]
assert usage == whole.usage
for choice in whole.choices:
    assert b"".join(bytes(t.bytes) for t in choice.logprobs.content).decode(errors="replace") == choice.message.content
    for scored in choice.logprobs.content:
        assert len(scored.top_logprobs) == 3 and scored.logprob <= 0
        assert scored.top_logprobs[0].logprob >= scored.logprob - 1e-6

# Completions of texts and of ids, with their prompts in front and scored.
echo = client.completions.create(model=model, prompt=["ab", "c"], max_tokens=3, logprobs=2, echo=True, seed=1)
assert [c.text[: len(p)] for c, p in zip(echo.choices, ["ab", "c"])] == ["ab", "c"]
for choice in echo.choices:
    scores = choice.logprobs
    assert scores.token_logprobs[0] is None and scores.top_logprobs[0] is None
    assert len(scores.tokens) == len(scores.token_logprobs) == len(scores.top_logprobs) == len(scores.text_offset)
ids = client.completions.create(model=model, prompt=[[97, 98], [99]], max_tokens=0, logprobs=1, echo=True)
assert [len(c.logprobs.tokens) for c in ids.choices] == [2, 1]

# The same seed gives the same text, whatever else runs.
def complete(seed):
    return client.completions.create(model=model, prompt="Once", max_tokens=20, seed=seed).choices[0].text

with concurrent.futures.ThreadPoolExecutor(16) as pool:
    together = list(pool.map(complete, range(32)))
assert together == [complete(seed) for seed in range(32)]
assert len(set(together)) > 16

# A stream that is left, and a stop text.
with client.completions.create(model=model, prompt="a", max_tokens=500, stream=True) as stream:
    next(iter(stream))
full = client.completions.create(model=model, prompt="a", max_tokens=30, seed=3).choices[0].text
stop = full[5:7]
cut = client.completions.create(model=model, prompt="a", max_tokens=30, seed=3, stop=[stop]).choices[0]
assert cut.text == full[: full.index(stop)] and cut.finish_reason == "stop"

# Errors arrive as the package's own, with the parameter that is wrong.
def fails(kind, parameter, call):
    try:
        call()
    except kind as error:
        assert error.param == parameter, error
    else:
        raise AssertionError(f"{kind} expected")

fails(openai.BadRequestError, "logit_bias", lambda: client.chat.completions.create(**settings, logit_bias={"5": 1}))
fails(openai.BadRequestError, "messages", lambda: client.chat.completions.create(**{**settings, "max_tokens": 100000}))
fails(openai.NotFoundError, "model", lambda: client.chat.completions.create(**{**settings, "model": "gpt"}))
stranger = openai.OpenAI(base_url=address + "/v1", api_key="wrong", max_retries=0)
fails(openai.AuthenticationError, None, stranger.models.list)
