using System.Text.Json;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Inference.Tests.Generation;

public sealed class GenerationParametersJsonTests
{
    [Fact]
    public void Every_option_survives_writing_and_reading()
    {
        const string Json = """
            {"num_beams":4,"num_return_sequences":2,"max_new_tokens":7,"max_length":9,"min_new_tokens":1,"min_length":2,
            "length_penalty":0.5,"early_stopping":"never","do_sample":false,"seed":-3,
            "temperature":0.7,"top_k":5,"top_p":0.9,"min_p":0.1,"typical_p":0.8,"epsilon_cutoff":0.02,"eta_cutoff":0.03,
            "drafting":false,"src_lang":"en_XX","tgt_lang":"fr_XX","long_lines":"truncate","max_source_length":64,
            "split_special_tokens":true,"global_attention":"first_token","return_scores":true,"token_logprobs":true,
            "repetition_penalty":1.2,
            "encoder_repetition_penalty":1.1,"no_repeat_ngram_size":3,"encoder_no_repeat_ngram_size":4,
            "bad_words_ids":[[7],[9,11]],"sequence_bias":[[[5,6],-1.5]],"suppress_tokens":[5],"begin_suppress_tokens":[6],
            "forced_bos_token_id":17,"forced_eos_token_id":[3,4],"exponential_decay_length_penalty":[5,1.01],
            "remove_invalid_values":true,"renormalize_logits":true,"decoder_start_token_id":0,"bos_token_id":2,
            "eos_token_id":1,"pad_token_id":0}
            """;

        string written = GenerationParametersJson.Write(Read(Json));

        written.Should().Be(Json.ReplaceLineEndings(""));
        JsonElement
            .Parse(written)
            .EnumerateObject()
            .Select(property => property.Name)
            .Should()
            .BeEquivalentTo(GenerationParametersJson.Names);
    }

    [Fact]
    public void A_models_configuration_sets_nothing_of_texts()
    {
        List<string> unsupported = [];

        GenerationParameters read = GenerationParametersJson.ReadModelDefaults(
            JsonElement.Parse("""{"tgt_lang":{"any":"thing"},"max_source_length":512,"num_beams":5}"""),
            unsupported
        );

        read.Should().Be(new GenerationParameters { NumBeams = 5 });
        unsupported.Should().BeEmpty();
    }

    [Theory]
    [InlineData("""{"early_stopping":true}""", EarlyStopping.AtNumBeams)]
    [InlineData("""{"early_stopping":false}""", EarlyStopping.Heuristic)]
    [InlineData("""{"early_stopping":"never"}""", EarlyStopping.Never)]
    public void Early_stopping_is_a_truth_value_or_never(string json, EarlyStopping expected) =>
        Read(json).EarlyStopping.Should().Be(expected);

    [Theory]
    [InlineData("""{"num_beans":4}""", "num_beans")]
    [InlineData("""{"num_beans":null}""", "num_beans")]
    [InlineData("""{"num_beams":"4"}""", "num_beams")]
    [InlineData("""{"num_beams":4.5}""", "num_beams")]
    [InlineData("""{"early_stopping":"always"}""", "early_stopping")]
    [InlineData("""{"eos_token_id":[1,"2"]}""", "eos_token_id")]
    [InlineData("""{"bad_words_ids":[1,2]}""", "bad_words_ids")]
    [InlineData("""{"sequence_bias":[[1,2]]}""", "sequence_bias")]
    [InlineData("""{"seed":1.5}""", "seed")]
    [InlineData("""{"global_attention":"all"}""", "global_attention")]
    [InlineData("""{"global_attention":1}""", "global_attention")]
    [InlineData("""{"global_attention_mask":[1,0]}""", "global_attention_mask")]
    [InlineData("""{"top_h":0.7}""", "top_h")]
    [InlineData("""{"stop_strings":["."]}""", "stop_strings")]
    [InlineData("""{"long_lines":"cut"}""", "long_lines")]
    [InlineData("""{"long_lines":1}""", "long_lines")]
    [InlineData("""{"tgt_lang":5}""", "tgt_lang")]
    [InlineData("[]", "parameters")]
    public void What_can_not_be_used_is_refused_by_name(string json, string parameter) =>
        FluentActions
            .Invoking(() => Read(json))
            .Should()
            .Throw<GenerationParametersException>()
            .Which.Parameter.Should()
            .Be(parameter);

    [Fact]
    public void Values_that_change_nothing_are_taken() =>
        Read("""{"penalty_alpha":0.0,"use_cache":true,"num_beam_groups":1,"max_time":null,"num_beams":null}""")
            .Should()
            .Be(GenerationParameters.Default);

    private static GenerationParameters Read(string json) => GenerationParametersJson.Read(JsonElement.Parse(json));
}
