using System.Buffers.Binary;
using System.Text;

namespace Seq2Seq.Inference.Tokenization.SentencePiece;

// A protocol buffer (proto2) message: a sequence of fields, each a varint tag (number << 3 | wire type) and its value;
// wire type 0 varint, 1 eight bytes, 2 varint length and bytes, 5 four bytes. The fields read here:
//
//   ModelProto       1 pieces (repeated message)  2 trainer_spec  3 normalizer_spec  5 denormalizer_spec
//   SentencePiece    1 piece (string)  2 score (float)  3 type (enum, default 1)
//   TrainerSpec      3 model_type (enum, default 1)  24 treat_whitespace_as_suffix  35 byte_fallback
//                    40 unk_id (default 0)  44 unk_surface (string)
//   NormalizerSpec   2 precompiled_charsmap (bytes)  3 add_dummy_prefix (default true)
//                    4 remove_extra_whitespaces (default true)  5 escape_whitespaces (default true)

/// <summary>
/// Reads a <c>spiece.model</c> file: the message <c>ModelProto</c> of sentencepiece's <c>sentencepiece_model.proto</c>.
/// Unknown fields are passed over; everything is bounded by the file's own length.
/// </summary>
internal static class SentencePieceModelReader
{
    /// <exception cref="InvalidDataException">No such message, or one cut short.</exception>
    public static SentencePieceModel Read(ReadOnlySpan<byte> file)
    {
        var pieces = new List<Piece>();
        var model = new SentencePieceModel { Pieces = pieces, Normalizer = NormalizerSettings.Default };
        var message = new ProtoReader(file);
        while (message.Next(out var field))
        {
            switch (field)
            {
                case 1:
                    pieces.Add(ReadPiece(message.Bytes()));
                    break;
                case 2:
                    model = ReadTrainer(message.Bytes(), model);
                    break;
                case 3:
                    model = model with { Normalizer = ReadNormalizer(message.Bytes()) };
                    break;
                case 5:
                    model = model with { Denormalizer = ReadNormalizer(message.Bytes()) };
                    break;
                default:
                    message.Skip();
                    break;
            }
        }
        return model;
    }

    private static Piece ReadPiece(ReadOnlySpan<byte> bytes)
    {
        var piece = new Piece("", 0, PieceType.Normal);
        var message = new ProtoReader(bytes);
        while (message.Next(out var field))
        {
            switch (field)
            {
                case 1:
                    piece = piece with { Text = Encoding.UTF8.GetString(message.Bytes()) };
                    break;
                case 2:
                    piece = piece with { Score = message.Float() };
                    break;
                case 3:
                    piece = piece with { Type = (PieceType)message.Int32() };
                    break;
                default:
                    message.Skip();
                    break;
            }
        }
        return piece;
    }

    private static SentencePieceModel ReadTrainer(ReadOnlySpan<byte> bytes, SentencePieceModel model)
    {
        var message = new ProtoReader(bytes);
        while (message.Next(out var field))
        {
            switch (field)
            {
                case 3:
                    model = model with { Algorithm = (SentencePieceAlgorithm)message.Int32() };
                    break;
                case 24:
                    model = model with { TreatWhitespaceAsSuffix = message.Int32() != 0 };
                    break;
                case 35:
                    model = model with { ByteFallback = message.Int32() != 0 };
                    break;
                case 40:
                    model = model with { UnknownId = message.Int32() };
                    break;
                case 44:
                    model = model with { UnknownSurface = Encoding.UTF8.GetString(message.Bytes()) };
                    break;
                default:
                    message.Skip();
                    break;
            }
        }
        return model;
    }

    private static NormalizerSettings ReadNormalizer(ReadOnlySpan<byte> bytes)
    {
        var settings = NormalizerSettings.Default;
        var message = new ProtoReader(bytes);
        while (message.Next(out var field))
        {
            switch (field)
            {
                case 2:
                    settings = settings with { CharsMap = message.Bytes().ToArray() };
                    break;
                case 3:
                    settings = settings with { AddDummyPrefix = message.Int32() != 0 };
                    break;
                case 4:
                    settings = settings with { RemoveExtraWhitespaces = message.Int32() != 0 };
                    break;
                case 5:
                    settings = settings with { EscapeWhitespaces = message.Int32() != 0 };
                    break;
                default:
                    message.Skip();
                    break;
            }
        }
        return settings;
    }

    private ref struct ProtoReader(ReadOnlySpan<byte> message)
    {
        private ReadOnlySpan<byte> _rest = message;
        private int _wireType;

        public bool Next(out int field)
        {
            field = 0;
            if (_rest.IsEmpty)
                return false;
            var tag = Varint();
            _wireType = (int)(tag & 7);
            field = tag >> 3 is > 0 and <= 536870911 ? (int)(tag >> 3) : throw Broken("a field number out of range");
            return true;
        }

        public int Int32() => _wireType == 0 ? unchecked((int)Varint()) : throw Broken("a number of another wire type");

        public float Float() =>
            _wireType == 5
                ? BinaryPrimitives.ReadSingleLittleEndian(Take(4))
                : throw Broken("a score that is no float");

        public ReadOnlySpan<byte> Bytes() =>
            _wireType == 2 ? Take(Varint()) : throw Broken("a text of another wire type");

        public void Skip()
        {
            switch (_wireType)
            {
                case 0:
                    Varint();
                    break;
                case 1:
                    Take(8);
                    break;
                case 2:
                    Take(Varint());
                    break;
                case 5:
                    Take(4);
                    break;
                default:
                    throw Broken($"wire type {_wireType}");
            }
        }

        private ReadOnlySpan<byte> Take(ulong count)
        {
            if (count > (ulong)_rest.Length)
                throw Broken($"{count} bytes promised, {_rest.Length} left");
            var taken = _rest[..(int)count];
            _rest = _rest[(int)count..];
            return taken;
        }

        private ulong Varint()
        {
            var value = 0UL;
            for (var shift = 0; shift < 64; shift += 7)
            {
                if (_rest.IsEmpty)
                    throw Broken("the end in the middle of a number");
                var next = _rest[0];
                _rest = _rest[1..];
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                    return value;
            }
            throw Broken("a number of more than ten bytes");
        }

        private static InvalidDataException Broken(string found) => new($"It is no sentencepiece model: {found}.");
    }
}
