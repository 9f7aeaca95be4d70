using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Seq2Seq.Api.CommandLine.Lines;
using Seq2Seq.Inference;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Api.CommandLine;

/// <summary>
/// <c>seq2seq generate</c>: a file of lines through a model in this process, without database or service. Reads
/// <c>{"id", "text" | "input_ids", "target_prefix" | "decoder_input_ids", "parameters"}</c>, writes <c>{"id", "outputs": [{"text", "token_ids", "score",
/// "finish_reason"}]}</c> (of a source that was cut with <c>"truncated": true</c> before them) or <c>{"id", "error": {"code", "message"}}</c>. Parameters have Hugging Face's own names.
/// <c>seq2seq score</c> is the same for lines that bring a <c>target</c> or <c>target_ids</c>, whose score is the output.
/// </summary>
internal static class GenerateCommand
{
    public static Command Build() =>
        Build(
            new ExampleCommand("generate", "Generates for each line of a file, in this process.")
            {
                Examples =
                [
                    """echo '{"text": "phonemize: wonderful"}' | seq2seq generate --model models/english-tts""",
                    "seq2seq generate --model DIR --input in.jsonl --output out.jsonl --compute-type int8",
                    """seq2seq generate --model DIR -i in.jsonl -o out.jsonl -p '{"num_beams": 4, "max_new_tokens": 64}'""",
                ],
            },
            isScored: false
        );

    public static Command BuildScore() =>
        Build(
            new ExampleCommand("score", "Scores a given target for each line of a file, in this process.")
            {
                Examples =
                [
                    """echo '{"text": "phonemize: cat", "target": "K AE1 T"}' | seq2seq score --model models/english-tts""",
                ],
            },
            isScored: true
        );

    private static ExampleCommand Build(ExampleCommand command, bool isScored)
    {
        var lines = new LineCommandOptions();
        var parameters = new Option<string?>("--parameters", "-p")
        {
            Description = "Generation parameters of lines that bring none, as a JSON object",
            HelpName = "JSON",
        };
        var texts = new TextOptions();
        var device = new Option<string>("--device")
        {
            Description = "cpu, or cuda:N",
            HelpName = "DEVICE",
            DefaultValueFactory = _ => "cpu",
        };
        var computeType = new Option<string>("--compute-type")
        {
            Description = "Type the linear layers compute in",
            DefaultValueFactory = _ => "float32",
        };
        computeType.AcceptOnlyFromAmong("auto", "float32", "float16", "bfloat16", "int8");
        var asPublished = new Option<bool>("--as-published")
        {
            Description = "Compute fsmt and nllb-moe as published, where transformers 5.17 departs from that",
        };
        var calibration = new Option<FileInfo>("--calibration")
        {
            Description = "Source lines on which --compute-type auto compares the types",
            HelpName = "FILE",
        };
        var threads = new Option<int>("--threads")
        {
            Description = "Cores to compute on; 0 is all of them",
            HelpName = "N",
            DefaultValueFactory = _ => 0,
        };
        threads.Validators.Add(result =>
        {
            if (
                result.Tokens.Count == 1
                && int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out int count)
                && count is < 0 or > 1024
            )
            {
                result.AddError($"--threads is {result.Tokens[0].Value}; expected 0 to 1024.");
            }
        });
        lines.AddTo(command);
        command.Options.Add(parameters);
        texts.AddTo(command);
        command.Options.Add(device);
        command.Options.Add(computeType);
        command.Options.Add(asPublished);
        command.Options.Add(calibration);
        command.Options.Add(threads);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                string folder = lines.Folder(parsed);
                GenerationParameters defaults = ReadDefaults(
                    parsed.GetValue(parameters),
                    json => texts.Merge(parsed, json)
                );
                var options = new ModelLoadOptions
                {
                    Name = ModelFolder.NameOf(folder),
                    Folder = folder,
                    Device = ReadDevice(parsed.GetRequiredValue(device)),
                    ComputeType = parsed.GetRequiredValue(computeType),
                    AsPublished = parsed.GetValue(asPublished),
                    CalibrationFile = parsed.GetValue(calibration)?.FullName,
                    Threads = parsed.GetValue(threads),
                };
                await using SequenceModel model = SequenceModel.Load(options, cancellationToken);
                return await lines.RunAsync(
                    parsed,
                    (batch, token) => AnswerAsync(model, defaults, isScored, batch, token),
                    cancellationToken
                );
            }
        );
        return command;
    }

    private static GenerationParameters ReadDefaults(string? given, Func<string?, string?> merge)
    {
        try
        {
            if (merge(given) is not { } json)
            {
                return new GenerationParameters();
            }

            using var document = JsonDocument.Parse(json);
            return GenerationParametersJson.Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or GenerationParametersException)
        {
            throw new CommandException("--parameters: " + e.Message, e) { Code = ExitCode.Usage };
        }
    }

    private static ComputeDevice ReadDevice(string text)
    {
        try
        {
            return ComputeDevice.Parse(text);
        }
        catch (FormatException e)
        {
            throw new CommandException("--device: " + e.Message, e) { Code = ExitCode.Usage };
        }
    }

    private static async Task<LineAnswer[]> AnswerAsync(
        SequenceModel model,
        GenerationParameters defaults,
        bool isScored,
        IReadOnlyList<InputLine> batch,
        CancellationToken cancellationToken
    )
    {
        var lines = batch.Select(line => GenerateLine.Read(line, defaults, isScored)).ToList();
        var results = new SequenceResult[lines.Count];
        // Lines of equal parameters go in one call; the model decodes calls that overlap together.
        await Task.WhenAll(
            lines
                .Select((line, index) => (line, index))
                .GroupBy(item => item.line.ParametersKey, StringComparer.Ordinal)
                .Select(group => GenerateAsync(model, [.. group], results, cancellationToken))
        );
        return [.. lines.Select((line, index) => line.Answer(results[index]))];
    }

    private static async Task GenerateAsync(
        SequenceModel model,
        List<(GenerateLine Line, int Index)> group,
        SequenceResult[] results,
        CancellationToken cancellationToken
    )
    {
        List<(GenerateLine Line, int Index)> readable = [];
        foreach ((GenerateLine line, int index) in group)
        {
            if (line.Input is null)
            {
                results[index] = new SequenceResult { Error = line.Error };
            }
            else
            {
                readable.Add((line, index));
            }
        }

        if (readable.Count == 0)
        {
            return;
        }

        try
        {
            IReadOnlyList<SequenceResult> generated = await model.GenerateAsync(
                [.. readable.Select(item => item.Line.Input!)],
                readable[0].Line.Parameters,
                cancellationToken
            );
            foreach ((int position, (_, int index)) in readable.Index())
            {
                results[index] = generated[position];
            }
        }
        catch (GenerationParametersException e)
        {
            foreach ((_, int index) in readable)
            {
                results[index] = SequenceResult.Failed(GenerateLine.ParametersInvalid, e.Message);
            }
        }
    }
}
