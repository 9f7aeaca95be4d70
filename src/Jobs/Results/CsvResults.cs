using System.Globalization;
using CsvHelper;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Jobs.Results;

/// <summary>
/// CSV by RFC 4180 with a header, a row for each output (<c>rank</c> counts the outputs of a line from 1) or for the error of a
/// line; <c>truncated</c> is <c>true</c> where the source was cut, else empty as the two counts behind it. Made for spreadsheets: a cell that one would run as a formula (it begins with = + - @, a tab or CR) gets an
/// apostrophe in front, as OWASP advises. Programs that need every character take JSON Lines.
/// </summary>
internal sealed class CsvResults : IResultFormat
{
    private static readonly CsvWriterOptions _options = CsvWriterOptions.Default with
    {
        Injection = CsvInjection.Escape,
    };

    private static readonly string[] _header =
    [
        "line",
        "custom_id",
        "rank",
        "text",
        "token_ids",
        "score",
        "finish_reason",
        "error_code",
        "error_message",
        "truncated",
        "source_tokens",
        "kept_tokens",
    ];

    public string Name => "csv";

    public string ContentType => "text/csv";

    public string Extension => ".csv";

    public async Task WriteAsync(
        IAsyncEnumerable<LineResult> results,
        Stream stream,
        CancellationToken cancellationToken
    )
    {
        await using var csv = CsvWriter.Create(stream, _options, leaveOpen: true);
        await csv.WriteRecordAsync(_header, cancellationToken);
        await results.WriteAsync(
            result => WriteAsync(csv, result, cancellationToken),
            async () => await csv.FlushAsync(cancellationToken),
            cancellationToken
        );
    }

    private static async ValueTask WriteAsync(CsvWriter csv, LineResult result, CancellationToken cancellationToken)
    {
        if (result.Result.Error is { } error)
        {
            WriteLine(csv, result);
            foreach (string cell in (ReadOnlySpan<string>)["", "", "", "", "", error.Code, error.Message])
            {
                csv.WriteField(cell);
            }

            WriteTruncation(csv, truncation: null);
            await csv.EndRecordAsync(cancellationToken);
            return;
        }

        for (int i = 0; i < result.Result.Outputs.Count; i++)
        {
            WriteLine(csv, result);
            WriteOutput(csv, i + 1, result.Result.Outputs[i]);
            WriteTruncation(csv, result.Result.Truncation);
            await csv.EndRecordAsync(cancellationToken);
        }
    }

    private static void WriteLine(CsvWriter csv, LineResult result)
    {
        csv.WriteField(result.Line, default, CultureInfo.InvariantCulture);
        csv.WriteField(result.CustomId ?? "");
    }

    private static void WriteOutput(CsvWriter csv, int rank, SequenceOutput output)
    {
        csv.WriteField(rank, default, CultureInfo.InvariantCulture);
        csv.WriteField(output.Text ?? "");
        csv.WriteField(string.Join(' ', output.TokenIds.Select(id => id.ToString(CultureInfo.InvariantCulture))));
        if (double.IsFinite(output.Score))
        {
            csv.WriteField(output.Score, default, CultureInfo.InvariantCulture);
        }
        else
        {
            csv.WriteField("");
        }

        csv.WriteField(output.FinishReason.ToName());
        csv.WriteField("");
        csv.WriteField("");
    }

    private static void WriteTruncation(CsvWriter csv, SourceTruncation? truncation)
    {
        csv.WriteField(truncation is null ? "" : "true");
        csv.WriteField(truncation?.SourceTokens.ToString(CultureInfo.InvariantCulture) ?? "");
        csv.WriteField(truncation?.KeptTokens.ToString(CultureInfo.InvariantCulture) ?? "");
    }
}
