using System.Text.Json;

namespace Seq2Seq.Api.CommandLine.Running;

/// <summary>
/// The note beside an unfinished output (<c>OUT.seq2seq-run</c>): which order it is, under which idempotency key, and how much of the
/// output is whole. Written before the submit and after each piece of output; deleted with the last.
/// </summary>
internal sealed record RunNote
{
    public required string Order { get; init; }
    public required string IdempotencyKey { get; init; }

    /// <summary>The first line that the output lacks.</summary>
    public long NextLine { get; init; }

    /// <summary>Length of the output up to there.</summary>
    public long OutputBytes { get; init; }

    public static RunNote Begin(string order) =>
        new() { Order = order, IdempotencyKey = Guid.CreateVersion7().ToString("N") };

    /// <summary>The note of this order; null when there is none, or it is another order's.</summary>
    public static RunNote? Find(string output, string order)
    {
        try
        {
            RunNote? note = JsonSerializer.Deserialize<RunNote>(File.ReadAllBytes(PathOf(output)));
            return
                note?.Order == order && new FileInfo(output) is { Exists: true } file && file.Length >= note.OutputBytes
                ? note
                : null;
        }
        catch (Exception e) when (e is FileNotFoundException or JsonException)
        {
            return null;
        }
    }

    public void Save(string output)
    {
        string path = PathOf(output);
        File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(this));
        File.Move(path + ".new", path, overwrite: true);
    }

    public static void Delete(string output) => File.Delete(PathOf(output));

    private static string PathOf(string output) => output + ".seq2seq-run";
}
