using System.Text.Json;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Inference.Tests.Generation;

public sealed class GenerationParametersCheckTests
{
    [Theory]
    [InlineData("""{"num_beams":0}""", "num_beams")]
    [InlineData("""{"num_beams":257}""", "num_beams")]
    [InlineData("""{"max_new_tokens":0}""", "max_new_tokens")]
    [InlineData("""{"max_length":1}""", "max_length")]
    [InlineData("""{"min_new_tokens":-1}""", "min_new_tokens")]
    [InlineData("""{"no_repeat_ngram_size":-1}""", "no_repeat_ngram_size")]
    [InlineData("""{"repetition_penalty":0}""", "repetition_penalty")]
    [InlineData("""{"encoder_repetition_penalty":-2}""", "encoder_repetition_penalty")]
    [InlineData("""{"temperature":0}""", "temperature")]
    [InlineData("""{"top_k":-1}""", "top_k")]
    [InlineData("""{"top_p":1.5}""", "top_p")]
    [InlineData("""{"typical_p":0}""", "typical_p")]
    [InlineData("""{"num_beams":1,"num_return_sequences":2,"do_sample":false}""", "num_return_sequences")]
    [InlineData("""{"bad_words_ids":[]}""", "bad_words_ids")]
    [InlineData("""{"bad_words_ids":[[]]}""", "bad_words_ids")]
    [InlineData("""{"suppress_tokens":[-1]}""", "suppress_tokens")]
    [InlineData("""{"num_beams":2,"num_return_sequences":3}""", "num_return_sequences")]
    [InlineData("""{"forced_bos_token_id":5,"suppress_tokens":[4,5]}""", "forced_bos_token_id")]
    public void A_value_out_of_range_is_refused_by_name(string json, string parameter) =>
        FluentActions
            .Invoking(() => GenerationParametersCheck.Validate(Read(json)))
            .Should()
            .Throw<GenerationParametersException>()
            .Which.Parameter.Should()
            .Be(parameter);

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"num_beams":4,"num_return_sequences":4,"length_penalty":-1.5,"max_new_tokens":1}""")]
    [InlineData("""{"forced_eos_token_id":[5,6],"suppress_tokens":[5]}""")]
    [InlineData("""{"do_sample":true,"num_beams":1,"num_return_sequences":9,"top_k":0,"top_p":0,"min_p":1}""")]
    public void What_transformers_takes_is_taken(string json) => GenerationParametersCheck.Validate(Read(json));

    private static GenerationParameters Read(string json) => GenerationParametersJson.Read(JsonElement.Parse(json));
}
