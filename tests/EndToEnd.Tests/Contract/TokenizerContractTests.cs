using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Seq2Seq.EndToEnd.Tests.Contract;

/// <summary>
/// <c>seq2seq tokenize</c> and <c>detokenize</c> on every tokenizer folder: the ids and texts of the reference libraries, but for
/// those of contradictions.txt, which says of each why it can't be given.
/// </summary>
public sealed class TokenizerContractTests
{
    private static readonly string[] _encodeOptions =
    [
        "add_special_tokens",
        "truncation",
        "max_length",
        "src_lang",
        "tgt_lang",
        "as_target",
    ];

    private static readonly string[] _decodeOptions =
    [
        "src_lang",
        "tgt_lang",
        "clean_up_tokenization_spaces",
        "use_source_tokenizer",
    ];

    [Fact]
    public async Task Every_text_and_every_list_of_ids_is_read_as_by_the_reference_libraries()
    {
        var misses = new ConcurrentQueue<(string Name, string What)>();
        int asked = 0;
        await Parallel.ForEachAsync(
            ReferenceData.Folders("tokenizers"),
            new ParallelOptions
            {
                MaxDegreeOfParallelism = ReferenceData.Parallel,
                CancellationToken = TestContext.Current.CancellationToken,
            },
            async (folder, cancellationToken) =>
            {
                Request[] requests = [.. Requests(ReferenceData.Cases(folder))];
                foreach (string verb in (string[])["tokenize", "detokenize"])
                {
                    Request[] of = [.. requests.Where(request => request.Verb == verb)];
                    await CheckAsync(folder, verb, of, misses, cancellationToken);
                    Interlocked.Add(ref asked, of.Length);
                }
            }
        );

        string[] contradictions =
        [
            .. (
                await File.ReadAllLinesAsync(
                    Path.Join(AppContext.BaseDirectory, "Contract", "contradictions.txt"),
                    TestContext.Current.CancellationToken
                )
            ).Where(line => !line.StartsWith('#')),
        ];
        misses
            .Where(miss =>
                !Array.Exists(contradictions, known => known.StartsWith(miss.Name, StringComparison.Ordinal))
            )
            .Should()
            .BeEmpty();
        asked.Should().BeGreaterThan(20_000);
        misses.Should().HaveCount(contradictions.Length, "an answer that can be given is no contradiction");
    }

    private static async Task CheckAsync(
        string folder,
        string verb,
        Request[] requests,
        ConcurrentQueue<(string Name, string What)> misses,
        CancellationToken cancellationToken
    )
    {
        if (requests.Length == 0)
        {
            return;
        }

        Dictionary<string, JsonElement> answers = await ReferenceData.AnswersAsync(
            verb,
            folder,
            [.. requests.Select((request, i) => request.Line($"{i}"))],
            cancellationToken
        );
        for (int i = 0; i < requests.Length; i++)
        {
            string found = Canonical(answers[$"{i}"].TryGetProperty(requests[i].Answer, out var got) ? got : default);
            if (!requests[i].Right.Contains(found, StringComparer.Ordinal))
            {
                misses.Enqueue(
                    (
                        $"{Path.GetFileName(folder)} {requests[i].Case} {requests[i].Key} ",
                        $"{requests[i].Fields.ToJsonString()}: want {string.Join(" or ", requests[i].Right)}, got {answers[$"{i}"]}"
                    )
                );
            }
        }
    }

    private static IEnumerable<Request> Requests(JsonElement cases)
    {
        int number = -1;
        foreach (JsonElement test in cases.EnumerateArray())
        {
            string operation = test.TryGetProperty("op", out JsonElement op) ? op.GetString()! : "encode";
            JsonElement kwargs = test.TryGetProperty("kwargs", out JsonElement given) ? given : default;
            if (
                operation is not ("encode" or "decode")
                || test.TryGetProperty("error", out _)
                || Has(kwargs, "padding")
            )
            {
                continue;
            }

            // Cases are counted as the commands are asked them.
            number++;
            // Where two libraries differ either is right: ids of one, sp_ids or file_ids of the other.
            if (Has(test, "text") && Has(test, "ids"))
            {
                JsonObject fields = Fields(test, ["text", "text_pair"], kwargs, _encodeOptions);
                yield return new Request(
                    number,
                    "ids",
                    "tokenize",
                    "ids",
                    fields,
                    Right(test, "ids", "sp_ids", "file_ids")
                );
            }

            foreach (string key in (string[])["decoded", "decoded_raw"])
            {
                if (Has(test, key) && !(key == "decoded_raw" && Has(test, "hf_decoded")))
                {
                    JsonObject fields = Fields(test, ["ids"], kwargs, _decodeOptions);
                    fields["skip_special_tokens"] = key == "decoded";
                    string[] names = key == "decoded" ? [key, "hf_decoded"] : [key];
                    yield return new Request(number, key, "detokenize", "text", fields, Right(test, names));
                }
            }
        }
    }

    private static JsonObject Fields(JsonElement test, string[] names, JsonElement kwargs, string[] options)
    {
        JsonObject fields = [];
        Copy(test, names);
        Copy(kwargs, options);
        return fields;

        void Copy(JsonElement from, string[] keys)
        {
            foreach (string key in keys)
            {
                if (Has(from, key))
                {
                    fields[key] = JsonNode.Parse(from.GetProperty(key).GetRawText());
                }
            }
        }
    }

    private static string[] Right(JsonElement test, params string[] names) =>
        [.. names.Where(name => Has(test, name)).Select(name => Canonical(test.GetProperty(name)))];

    private static bool Has(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object
        && json.TryGetProperty(name, out JsonElement value)
        && value.ValueKind != JsonValueKind.Null;

    private static string Canonical(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Array => string.Join(',', value.EnumerateArray().Select(id => id.GetInt32())),
            JsonValueKind.String => value.GetString()!,
            _ => "nothing",
        };

    /// <summary>A line for a command, and the answers that are right.</summary>
    /// <param name="Case">Number of its case among those that are asked.</param>
    /// <param name="Key">What of the case is asked for.</param>
    /// <param name="Verb">The command.</param>
    /// <param name="Answer">The field of its answer.</param>
    /// <param name="Fields">The line.</param>
    /// <param name="Right">Answers that are right.</param>
    private sealed record Request(int Case, string Key, string Verb, string Answer, JsonObject Fields, string[] Right)
    {
        public JsonObject Line(string id)
        {
            var line = (JsonObject)Fields.DeepClone();
            line["id"] = id;
            return line;
        }
    }
}
