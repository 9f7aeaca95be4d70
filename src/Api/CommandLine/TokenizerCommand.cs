using System.CommandLine;
using System.Text.Json;
using Seq2Seq.Api.CommandLine.Lines;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Api.CommandLine;

/// <summary>What <c>tokenize</c> and <c>detokenize</c> share: each line goes through a model folder's own tokenizer.</summary>
internal static class TokenizerCommand
{
    /// <param name="name">The command.</param>
    /// <param name="description">For its help.</param>
    /// <param name="example">For its help.</param>
    /// <param name="answer">From a line's fields to what writes its answer; a line that can't be done throws.</param>
    public static Command Build(
        string name,
        string description,
        string example,
        Func<Tokenizer, LineObject, Action<Utf8JsonWriter>> answer
    )
    {
        var lines = new LineCommandOptions();
        var command = new ExampleCommand(name, description) { Examples = [example] };
        lines.AddTo(command);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                Tokenizer tokenizer = Tokenizer.Load(lines.Folder(parsed));
                return await lines.RunAsync(
                    parsed,
                    (batch, _) =>
                        Task.FromResult(
                            batch.Select(line => Answer(line, fields => answer(tokenizer, fields))).ToArray()
                        ),
                    cancellationToken
                );
            }
        );
        return command;
    }

    private static LineAnswer Answer(InputLine line, Func<LineObject, Action<Utf8JsonWriter>> answer)
    {
        JsonElement? id = null;
        try
        {
            using var fields = LineObject.Parse(line);
            id = fields.Id?.Clone();
            return LineAnswer.Of(line, id, answer(fields));
        }
        catch (LineFormatException e)
        {
            return LineAnswer.Of(line, id, e.Error);
        }
        catch (Exception e) when (e is ArgumentException or EncodeException)
        {
            return LineAnswer.Of(line, id, new LineFormatException(e.Message).Error);
        }
    }
}
