using System.Text.Json;
using Seq2Seq.Api.Problems;

namespace Seq2Seq.Api.Requests;

/// <summary>
/// A JSON object of a request, read strictly: every member is taken by name and type, and <see cref="RefuseOthers"/> names what
/// nobody took. Each mistake is a <see cref="RequestException"/> with the member's path.
/// </summary>
internal sealed class RequestObject
{
    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.Ordinal);
    private readonly List<string> _known = [];
    private readonly string _path;
    private readonly bool _isText;

    private RequestObject(string path, bool isText)
    {
        _path = path;
        _isText = isText;
    }

    /// <param name="element">The value that should be an object.</param>
    /// <param name="path">Where it stands, such as <c>inputs[3]</c>; empty at the root.</param>
    /// <param name="expected">What to tell the sender of anything else.</param>
    public static RequestObject Of(JsonElement element, string path = "", string expected = "an object")
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw RequestException.Invalid(path.Length == 0 ? "body" : path, Describe(element), expected);
        }

        var result = new RequestObject(path, isText: false);
        foreach (JsonProperty member in element.EnumerateObject())
        {
            result._members[Text(path, () => member.Name)] = member.Value;
        }

        return result;
    }

    /// <summary>The same from a form or a query, where numbers and objects are written as text.</summary>
    public static RequestObject OfText(IEnumerable<KeyValuePair<string, string>> fields)
    {
        var result = new RequestObject("", isText: true);
        foreach ((string name, string text) in fields)
        {
            result._members[name] = JsonSerializer.SerializeToElement(text, ApiJson.Web.String);
        }

        return result;
    }

    /// <summary>The path of a member, as problems name it.</summary>
    public string PathOf(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    public string? TakeString(string name) =>
        Take(name) is { } value ? ReadString(value, PathOf(name), "a string") : null;

    public int? TakeInteger(string name, int least, int most)
    {
        if (Take(name) is not { } value)
        {
            return null;
        }

        if (_isText)
        {
            return (int?)RequestText.Integer(value.GetString(), PathOf(name), least, most);
        }

        return
            value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out int number)
            && number >= least
            && number <= most
            ? number
            : throw RequestException.Invalid(PathOf(name), Describe(value), RequestText.Range(least, most));
    }

    /// <summary>An object, or an array of anything: the caller reads on.</summary>
    public JsonElement? TakeJson(string name, JsonValueKind kind, string expected)
    {
        if (Take(name) is not { } value)
        {
            return null;
        }

        if (_isText)
        {
            value = RequestJson.Parse(value.GetString()!, PathOf(name));
        }

        return value.ValueKind == kind
            ? value
            : throw RequestException.Invalid(PathOf(name), Describe(value), expected);
    }

    public bool? TakeBoolean(string name) =>
        Take(name) is not { } value ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw RequestException.Invalid(PathOf(name), Describe(value), "true or false");

    /// <exception cref="RequestException">A member is left that nobody took.</exception>
    public void RefuseOthers()
    {
        foreach (string name in _members.Keys)
        {
            throw RequestException.Unknown(PathOf(name), _known.Select(PathOf));
        }
    }

    public static string ReadString(JsonElement value, string path, string expected) =>
        value.ValueKind == JsonValueKind.String
            ? Text(path, () => value.GetString()!)
            : throw RequestException.Invalid(path, Describe(value), expected);

    /// <summary>What was found, for people: numbers and short strings as they stand, the rest by kind.</summary>
    public static string Describe(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Undefined => "nothing",
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "an array",
            _ => value.GetRawText(),
        };

    // Null when the member is absent, and when it is null.
    private JsonElement? Take(string name)
    {
        _known.Add(name);
        return _members.Remove(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    // Strings are checked for valid UTF-8 and paired surrogates only when they are read.
    private static string Text(string path, Func<string> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException exception)
        {
            string field = path.Length == 0 ? "body" : path;
            throw new RequestException(
                ProblemCodes.EncodingInvalid,
                $"{field} holds text that is not valid UTF-8.",
                exception
            )
            {
                Field = field,
                Expected = "valid UTF-8",
            };
        }
    }
}
