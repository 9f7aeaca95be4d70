using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Seq2Seq.Inference.Tests.Fuzzing;

/// <summary>Changes files: their bytes, or the values of their JSON.</summary>
internal static class Mutator
{
    private const int MostChanges = 4;

    /// <summary>Bytes that readers of texts hang on.</summary>
    private const string Marks = "0123456789[]{}\",:-.eE\\\n \u00FF\u0080\0";

    /// <summary>What is put behind a text.</summary>
    private const string Tail = "\0\u0301\u2581ab</s>";

    private static readonly long[] _numbers =
    [
        0,
        1,
        -1,
        2,
        0x7F,
        0x80,
        0xFF,
        0x7FFF,
        0xFFFF,
        int.MaxValue,
        int.MinValue,
        uint.MaxValue,
        1L << 40,
        long.MaxValue,
        long.MinValue,
    ];

    private static readonly string[] _values =
    [
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "2",
        "3",
        "1.5",
        "1e30",
        "-1e308",
        "2147483647",
        "2147483648",
        "-2147483648",
        "9223372036854775808",
        "1000000",
        "100000000",
        "\"\"",
        "\" \"",
        "\"a\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"../../x\"",
        "\"(a*)*b\"",
        "[]",
        "[[]]",
        "{}",
        "{\"type\":\"Sequence\"}",
        "[0]",
        "[\"a\",\"b\"]",
    ];

    /// <summary>Some bytes flipped, set, moved, repeated, taken out or cut off.</summary>
    public static byte[] Bytes(byte[] file, Random random)
    {
        List<byte> bytes = [.. file];
        for (int changes = random.Next(1, MostChanges + 1); changes > 0; changes--)
        {
            Change(bytes, random);
        }

        return [.. bytes];
    }

    /// <summary>Some values of a JSON file replaced by others, taken out, or put elsewhere; now and then its bytes changed.</summary>
    public static byte[] Json(byte[] file, Random random)
    {
        if (random.Next(5) == 0)
        {
            return Bytes(file, random);
        }

        try
        {
            JsonNode root = JsonNode.Parse(file)!;
            for (int changes = random.Next(1, MostChanges); changes > 0; changes--)
            {
                Change(root, random);
            }

            return System.Text.Encoding.UTF8.GetBytes(root.ToJsonString());
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or InvalidOperationException)
        {
            return Bytes(file, random);
        }
    }

    private static void Change(List<byte> bytes, Random random)
    {
        int place = random.Next(bytes.Count + 1);
        int length = Math.Min(bytes.Count - place, 1 << random.Next(12));
        switch (random.Next(bytes.Count == 0 ? 1 : 8))
        {
            case 0:
                bytes.InsertRange(place, Enumerable.Range(0, random.Next(1, 9)).Select(_ => (byte)random.Next(256)));
                break;
            case 1:
                bytes[place % bytes.Count] ^= (byte)(1 << random.Next(8));
                break;
            case 2:
                bytes[place % bytes.Count] = (byte)random.Next(256);
                break;
            case 3:
                bytes[place % bytes.Count] = (byte)Marks[random.Next(Marks.Length)];
                break;
            case 4:
                Overwrite(bytes, place, random);
                break;
            case 5:
                bytes.RemoveRange(place, length);
                break;
            case 6:
                bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(place, length));
                break;
            default:
                bytes.RemoveRange(place, random.Next(3) == 0 ? bytes.Count - place : 0);
                break;
        }
    }

    private static void Overwrite(List<byte> bytes, int place, Random random)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, _numbers[random.Next(_numbers.Length)]);
        int width = 1 << random.Next(4);
        for (int i = 0; i < width && place + i < bytes.Count; i++)
        {
            bytes[place + i] = number[i];
        }
    }

    private static void Change(JsonNode root, Random random)
    {
        JsonNode parent = Walk(root, random);
        switch (parent)
        {
            case JsonObject { Count: > 0 } inside:
                string key = inside.ElementAt(random.Next(inside.Count)).Key;
                switch (random.Next(8))
                {
                    case 0:
                        inside.Remove(key);
                        break;
                    case 1:
                        inside[key] = Walk(root, random).DeepClone();
                        break;
                    default:
                        inside[key] = Value(inside[key], random);
                        break;
                }

                break;
            case JsonArray { Count: > 0 } list:
                int index = random.Next(list.Count);
                switch (random.Next(8))
                {
                    case 0:
                        list.RemoveAt(index);
                        break;
                    case 1:
                        list.Add(Walk(root, random).DeepClone());
                        break;
                    default:
                        list[index] = Value(list[index], random);
                        break;
                }

                break;
        }
    }

    /// <summary>Some object or array, those near the root likelier than those below.</summary>
    private static JsonNode Walk(JsonNode root, Random random)
    {
        JsonNode node = root;
        while (random.Next(3) > 0)
        {
            JsonNode? next = node switch
            {
                JsonObject { Count: > 0 } inside => inside.ElementAt(random.Next(inside.Count)).Value,
                JsonArray { Count: > 0 } list => list[random.Next(list.Count)],
                _ => null,
            };
            if (next is not (JsonObject or JsonArray))
            {
                break;
            }

            node = next;
        }

        return node;
    }

    private static JsonNode? Value(JsonNode? old, Random random) =>
        old?.GetValueKind() switch
        {
            JsonValueKind.Number when random.Next(2) == 0 => _numbers[random.Next(_numbers.Length)],
            JsonValueKind.True or JsonValueKind.False when random.Next(2) == 0 => old.GetValueKind()
                == JsonValueKind.False,
            JsonValueKind.String when random.Next(3) == 0 => old.GetValue<string>() + Tail[random.Next(Tail.Length)..],
            _ => JsonNode.Parse(_values[random.Next(_values.Length)]),
        };
}
