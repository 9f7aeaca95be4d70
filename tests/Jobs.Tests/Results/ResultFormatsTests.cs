using System.Text;
using System.Text.Json;
using CsCheck;
using CsvHelper;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Tests;

namespace Seq2Seq.Jobs.Results.Tests;

public sealed class ResultFormatsTests
{
    private static readonly LineResult[] _results =
    [
        new(
            0,
            "a,1",
            new SequenceResult
            {
                Outputs =
                [
                    Output("He said \"no\",\nthen left", -0.25),
                    Output(null, double.NegativeInfinity, FinishReason.Length),
                ],
            }
        ),
        new(1, null, SequenceResult.Failed("line_empty", "The line has no text.")),
        new(3, null, new SequenceResult { Outputs = [Output("=1+1", -1, FinishReason.Time)] }),
        new(4, "cut", new SequenceResult { Outputs = [Output("so", -2)], Truncation = new SourceTruncation(812, 512) }),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Json_lines_say_everything()
    {
        (await WriteAsync("jsonl", _results))
            .Should()
            .Be(
                """
                {"line":0,"custom_id":"a,1","outputs":[{"text":"He said \"no\",\nthen left","token_ids":[5,1],"score":-0.25,"finish_reason":"stop"},{"token_ids":[5,1],"score":null,"finish_reason":"length"}]}
                {"line":1,"error":{"code":"line_empty","message":"The line has no text."}}
                {"line":3,"outputs":[{"text":"=1+1","token_ids":[5,1],"score":-1,"finish_reason":"time"}]}
                {"line":4,"custom_id":"cut","truncated":true,"source_tokens":812,"kept_tokens":512,"outputs":[{"text":"so","token_ids":[5,1],"score":-2,"finish_reason":"stop"}]}

                """
            );
    }

    [Fact]
    public async Task Csv_has_a_row_for_each_output_and_runs_no_formula()
    {
        (await WriteAsync("csv", _results))
            .ReplaceLineEndings("\n")
            .Should()
            .Be(
                """
                line,custom_id,rank,text,token_ids,score,finish_reason,error_code,error_message,truncated,source_tokens,kept_tokens
                0,"a,1",1,"He said ""no"",
                then left",5 1,-0.25,stop,,,,,
                0,"a,1",2,,5 1,,length,,,,,
                1,,,,,,,line_empty,The line has no text.,,,
                3,,1,"'=1+1",5 1,-1,time,,,,,
                4,cut,1,so,5 1,-2,stop,,,true,812,512

                """
            );
    }

    [Fact]
    public async Task Text_keeps_each_line_in_its_place()
    {
        (await WriteAsync("text", _results)).Should().Be("He said \"no\", then left\n\n\n=1+1\nso\n");
    }

    [Fact]
    public async Task Json_lines_give_back_every_text_on_a_line_of_its_own()
    {
        await Gen.Select(Generators.Text.Null(), Generators.Result)
            .Array[1, 10]
            .SampleAsync(async results =>
            {
                string written = await WriteAsync(
                    "jsonl",
                    results.Select((result, i) => new LineResult(i, result.Item1, result.Item2))
                );
                string[] lines = written.Split('\n');
                lines.Should().HaveCount(results.Length + 1);
                for (int i = 0; i < results.Length; i++)
                {
                    using var document = JsonDocument.Parse(lines[i]);
                    Text(document.RootElement, "custom_id").Should().Be(results[i].Item1);
                    if (results[i].Item2.Error is { } error)
                    {
                        Text(document.RootElement.GetProperty("error"), "message").Should().Be(error.Message);
                    }
                    else
                    {
                        document
                            .RootElement.GetProperty("outputs")
                            .EnumerateArray()
                            .Select(output => Text(output, "text"))
                            .Should()
                            .Equal(results[i].Item2.Outputs.Select(output => output.Text));
                    }
                }
            });
    }

    [Fact]
    public async Task Csv_gives_back_every_text_but_for_the_apostrophe()
    {
        await Generators
            .Text.Array[1, 10]
            .SampleAsync(async texts =>
            {
                string written = await WriteAsync(
                    "csv",
                    texts.Select(
                        (text, i) => new LineResult(i, null, new SequenceResult { Outputs = [Output(text, 0)] })
                    )
                );
                using var csv = CsvReader.Create(new StringReader(written));
                foreach (string text in texts)
                {
                    (await csv.ReadAsync(Cancellation)).Should().BeTrue();
                    string cell = csv.GetString("text");
                    cell.Should().BeOneOf(text, $"'{text}");
                    cell.Should().NotMatchRegex("^[=+@\\t\\r-]");
                }
            });
    }

    [Fact]
    public async Task A_reader_sees_what_is_there_while_the_next_result_is_awaited()
    {
        foreach (var format in ResultFormats.All)
        {
            var stream = new MemoryStream();
            var more = new TaskCompletionSource();
            async IAsyncEnumerable<LineResult> Results()
            {
                yield return _results[0];
                await more.Task;
                yield return _results[1];
            }

            var writing = format.WriteAsync(Results(), stream, Cancellation);

            Encoding.UTF8.GetString(stream.ToArray()).Should().Contain("then left", format.Name);
            more.SetResult();
            await writing;
        }
    }

    [Fact]
    public async Task A_job_without_results_is_a_file_without_rows()
    {
        (await WriteAsync("jsonl", [])).Should().BeEmpty();
        (await WriteAsync("text", [])).Should().BeEmpty();
        (await WriteAsync("csv", [])).Should().StartWith("line,custom_id").And.EndWith("kept_tokens\r\n");
    }

    private static async Task<string> WriteAsync(string format, IEnumerable<LineResult> results)
    {
        var stream = new MemoryStream();
        await ResultFormats
            .All.Single(known => known.Name == format)
            .WriteAsync(results.ToAsyncEnumerable(), stream, Cancellation);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static SequenceOutput Output(string? text, double score, FinishReason reason = FinishReason.Stop) =>
        new()
        {
            Text = text,
            TokenIds = [5, 1],
            Score = score,
            FinishReason = reason,
        };

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var property) ? property.GetString() : null;
}
