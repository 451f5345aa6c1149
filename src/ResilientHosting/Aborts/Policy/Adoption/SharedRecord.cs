using Microsoft.Extensions.Primitives;

namespace ResilientHosting.Aborts;

internal enum SharedState : byte
{
    /// <summary>The owner runs the work. The entry expires unless the owner renews it.</summary>
    Running = 1,

    /// <summary>The work is done, and its result is kept here.</summary>
    Answered,

    /// <summary>The work is done, and a client has received its result.</summary>
    Received,

    /// <summary>The owner waits for the result.</summary>
    Waiting,
}

/// <summary>What processes tell each other about a key. <paramref name="Answer"/> is set in the state <c>Answered</c> alone.</summary>
internal sealed record SharedRecord(SharedState State, Guid Owner, string Fingerprint, CapturedResponse? Answer = null)
{
    // Another layout gets another number, so that a process never misreads what a newer one wrote.
    private const byte Layout = 1;

    public byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(Layout);
        writer.Write((byte)State);
        writer.Write(Owner.ToByteArray());
        writer.Write(Fingerprint);
        if (Answer is { } answer)
        {
            writer.Write(ReferenceEquals(answer, CapturedResponse.NotKept));
            writer.Write(answer.StatusCode);
            var lines = answer.Headers.SelectMany(header => header.Value, (header, value) => (header.Key, Value: value ?? "")).ToArray();
            writer.Write(lines.Length);
            foreach (var (name, value) in lines)
            {
                writer.Write(name);
                writer.Write(value);
            }

            writer.Write(answer.Body.Length);
            writer.Write(answer.Body.Span);
        }

        return bytes.ToArray();
    }

    /// <summary>Reads what another process wrote; <see langword="null"/> for a layout of another version.</summary>
    /// <exception cref="InvalidDataException">The entry is damaged.</exception>
    public static SharedRecord? Parse(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        try
        {
            if (reader.ReadByte() != Layout)
            {
                return null;
            }

            var state = (SharedState)reader.ReadByte();
            var owner = new Guid(reader.ReadBytes(16));
            var fingerprint = reader.ReadString();
            return new SharedRecord(state, owner, fingerprint, state == SharedState.Answered ? ParseAnswer(reader) : null);
        }
        catch (Exception exception) when (exception is EndOfStreamException or ArgumentException or FormatException)
        {
            throw new InvalidDataException("An entry of the distributed cache is damaged.", exception);
        }
    }

    private static CapturedResponse ParseAnswer(BinaryReader reader)
    {
        var isNotKept = reader.ReadBoolean();
        var statusCode = reader.ReadInt32();
        var headers = new List<KeyValuePair<string, StringValues>>();
        for (var lines = reader.ReadInt32(); lines > 0; lines--)
        {
            var name = reader.ReadString();
            StringValues values = reader.ReadString();
            if (headers.Count > 0 && headers[^1].Key == name)
            {
                values = StringValues.Concat(headers[^1].Value, values);
                headers.RemoveAt(headers.Count - 1);
            }

            headers.Add(new(name, values));
        }

        // Asked for first, because room is made for as much as an entry claims to have.
        var size = reader.ReadInt32();
        if (size < 0 || size > reader.BaseStream.Length - reader.BaseStream.Position)
        {
            throw new EndOfStreamException();
        }

        return isNotKept ? CapturedResponse.NotKept : new CapturedResponse(statusCode, headers, reader.ReadBytes(size));
    }
}
