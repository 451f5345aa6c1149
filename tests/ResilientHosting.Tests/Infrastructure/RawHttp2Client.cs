using System.Buffers.Binary;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>
/// Speaks just enough HTTP/2 to misbehave. It sends frames and parses none: what a server streams as text arrives as text.
/// </summary>
public sealed class RawHttp2Client : LeavingClient
{
    private const byte Data = 0, Headers = 1, ResetStream = 3, Settings = 4;
    private const byte EndStream = 1, EndHeaders = 4;
    private const uint Cancel = 8;

    private static readonly byte[] Preface = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(Settings, 0, stream: 0, [])];

    private readonly string _scheme;

    // A client's streams have odd numbers.
    private int _stream = -1;

    private RawHttp2Client(Socket socket, Stream stream, string scheme)
        : base(socket, stream) => _scheme = scheme;

    public static async Task<RawHttp2Client> ConnectAsync(Uri address)
    {
        var (socket, stream) = await OpenAsync(address, SslApplicationProtocol.Http2);
        var client = new RawHttp2Client(socket, stream, address.Scheme);
        await client.SendAsync(Preface);
        return client;
    }

    public override Task SendGetAsync(string path) => SendAsync(GetFrame(path));

    /// <summary>Opens many streams and resets each at once, all in one piece.</summary>
    public Task SendRapidResetsAsync(IEnumerable<string> paths) =>
        SendAsync(paths.SelectMany(path => (byte[])[.. GetFrame(path), .. ResetFrame()]).ToArray());

    public override Task SendPostAsync(string path, int contentLength, string bodySoFar, string contentType = "application/json")
    {
        var length = contentLength.ToString(CultureInfo.InvariantCulture);
        var head = Frame(
            Headers, EndHeaders, NextStream(), Fields("POST", path, ("content-type", contentType), ("content-length", length)));
        var body = Frame(Data, bodySoFar.Length == contentLength ? EndStream : (byte)0, _stream, Encoding.ASCII.GetBytes(bodySoFar));
        return SendAsync((byte[])[.. head, .. body]);
    }

    public override Task ResetStreamAsync() => SendAsync(ResetFrame());

    private int NextStream() => _stream += 2;

    private byte[] GetFrame(string path) => Frame(Headers, EndHeaders | EndStream, NextStream(), Fields("GET", path));

    private byte[] ResetFrame()
    {
        var code = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(code, Cancel);
        return Frame(ResetStream, 0, _stream, code);
    }

    private static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    private byte[] Fields(string method, string path, params ReadOnlySpan<(string Name, string Value)> more)
    {
        var fields = new List<byte>();
        Add(":method", method);
        Add(":scheme", _scheme);
        Add(":path", path);
        Add(":authority", "localhost");
        foreach (var (name, value) in more)
        {
            Add(name, value);
        }

        return [.. fields];

        // As a literal that neither side remembers, with a length of one byte.
        void Add(string name, string value) => fields.AddRange(
            [0, checked((byte)name.Length), .. Encoding.ASCII.GetBytes(name), checked((byte)value.Length), .. Encoding.ASCII.GetBytes(value)]);
    }
}
