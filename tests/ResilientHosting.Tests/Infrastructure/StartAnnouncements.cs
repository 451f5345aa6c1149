using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>Hears of each start of a <see cref="ReloadableApp"/> that has no console to say it on.</summary>
public sealed class StartAnnouncements : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public StartAnnouncements() => _listener.Start();

    /// <summary>Gets the argument that makes an application announce its starts here.</summary>
    public string Argument => string.Create(CultureInfo.InvariantCulture, $"--Announce={((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Waits for the next start, and returns the address that the application listens at.</summary>
    public async Task<Uri> NextAsync()
    {
        using var application = await _listener.AcceptTcpClientAsync().WaitAsync(ConsoleLines.Timeout);
        using var reader = new StreamReader(application.GetStream());
        return new Uri(await reader.ReadToEndAsync().WaitAsync(ConsoleLines.Timeout));
    }

    public void Dispose() => _listener.Dispose();
}
