using System.Security.Cryptography;
using System.Text;

namespace Seq2Seq.Api.CommandLine.Running;

/// <summary>What <c>seq2seq run</c> was asked for.</summary>
internal sealed record JobOrder
{
    public required string Input { get; init; }
    public required string Output { get; init; }
    public required string Model { get; init; }
    public string? Parameters { get; init; }
    public string? Name { get; init; }
    public required int Priority { get; init; }

    /// <summary>The service's name of the input's format, by the file's ending.</summary>
    public string InputFormat =>
        Path.GetExtension(Input).ToLowerInvariant() is ".jsonl" or ".ndjson" or ".json" ? "jsonl" : "text";

    public string OutputFormat =>
        Path.GetExtension(Output).ToLowerInvariant() switch
        {
            ".csv" => "csv",
            ".txt" => "text",
            _ => "jsonl",
        };

    /// <exception cref="CommandException">The files can't be what they should.</exception>
    public void Check()
    {
        if (!File.Exists(Input))
        {
            throw new CommandException(
                Directory.Exists(Input)
                    ? $"'{Input}' is a folder; expected a file."
                    : $"Input '{Input}' does not exist."
            );
        }

        if (Path.GetFullPath(Input) == Path.GetFullPath(Output))
        {
            throw new CommandException($"'{Input}' can't be both input and output.");
        }

        string folder = Path.GetDirectoryName(Path.GetFullPath(Output))!;
        if (!Directory.Exists(folder) || Directory.Exists(Output))
        {
            throw new CommandException(
                Directory.Exists(Output)
                    ? $"Output '{Output}' is a folder."
                    : $"Output's folder '{folder}' does not exist."
            );
        }
    }

    /// <summary>Stands for this order and the input as it is now: another order, or a changed file, is another job.</summary>
    public async Task<string> DigestAsync(CancellationToken cancellationToken)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(
            Encoding.UTF8.GetBytes(string.Join('\0', Model, Parameters, Name, Priority, InputFormat, OutputFormat, ""))
        );
        await using FileStream input = File.OpenRead(Input);
        byte[] buffer = new byte[1024 * 1024];
        while (await input.ReadAsync(buffer, cancellationToken) is > 0 and int read)
        {
            digest.AppendData(buffer, 0, read);
        }

        return Convert.ToHexStringLower(digest.GetHashAndReset());
    }
}
