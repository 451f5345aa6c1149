using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Writes down how it is steered.</summary>
internal sealed class FakeReloader : IDevReloader
{
    public List<string> Calls { get; } = [];

    public int Generation => 0;

    public IReadOnlyList<ReloadRecord> History { get; set; } = [];

    public void RequestReload(string reason) => Calls.Add("reload");

    public void Pause() => Calls.Add("pause");

    public void Resume() => Calls.Add("resume");
}
