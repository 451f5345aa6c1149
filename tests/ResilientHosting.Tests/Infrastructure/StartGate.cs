using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>Holds a program at a statement, for as long as a test needs: the program connects here and waits to be let through.</summary>
public sealed class StartGate : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public StartGate() => _listener.Start();

    /// <summary>Gets the statement that makes a program wait at this gate.</summary>
    public string Statement => string.Create(
        CultureInfo.InvariantCulture,
        $"new System.Net.Sockets.TcpClient(\"127.0.0.1\", {((IPEndPoint)_listener.LocalEndpoint).Port}).GetStream().ReadByte();");

    /// <summary>Completes when a program waits at the gate. Disposing of the result lets it through.</summary>
    public Task<TcpClient> ReachedAsync() => _listener.AcceptTcpClientAsync().WaitAsync(ConsoleLines.Timeout);

    public void Dispose() => _listener.Dispose();
}
