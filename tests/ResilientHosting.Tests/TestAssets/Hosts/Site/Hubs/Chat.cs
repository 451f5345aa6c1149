using Microsoft.AspNetCore.SignalR;

namespace Site.Hubs;

public sealed class Chat : Hub
{
    public string Say(string text) => $"hub: v1 {text}";
}
