using System.Net.Sockets;
using System.Text;

/// <summary>Tells a test of each start by another way than the console, which the process may not have.</summary>
internal static class Announcement
{
    public static void AnnounceStart(this WebApplication app)
    {
        if (app.Configuration["Announce"] is { } port)
        {
            app.Lifetime.ApplicationStarted.Register(() =>
            {
                using var test = new TcpClient("127.0.0.1", int.Parse(port));
                test.GetStream().Write(Encoding.UTF8.GetBytes(app.Urls.First()));
            });
        }
    }
}
