using System.Globalization;
using Seq2Seq.Api.Problems;

namespace Seq2Seq.Api.Requests;

/// <summary>Values that came as text in a query, a header or a form field.</summary>
internal static class RequestText
{
    /// <summary>Text for people and for lookups: bounded, and without control characters, which no name of ours has.</summary>
    public static string Plain(string text, string field, int longest)
    {
        if (text.Length == 0 || text.Length > longest || text.Any(char.IsControl))
        {
            string expected = string.Create(
                CultureInfo.InvariantCulture,
                $"1 to {longest} characters without control characters"
            );
            throw RequestException.Invalid(field, text.Length == 0 ? "empty" : text, expected);
        }

        return text;
    }

    public static long? Integer(string? text, string field, long least, long most)
    {
        if (text is null)
        {
            return null;
        }

        return
            long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            && number >= least
            && number <= most
            ? number
            : throw RequestException.Invalid(field, text.Length == 0 ? "empty" : text, Range(least, most));
    }

    public static string Range(long least, long most) =>
        string.Create(CultureInfo.InvariantCulture, $"an integer from {least} to {most}");

    public static T? Choice<T>(string? text, string field, IReadOnlyDictionary<string, T> choices)
        where T : struct
    {
        if (text is null)
        {
            return null;
        }

        return choices.TryGetValue(text, out T choice)
            ? choice
            : throw RequestException.Invalid(
                field,
                text.Length == 0 ? "empty" : text,
                $"one of {string.Join(", ", choices.Keys)}"
            );
    }
}
