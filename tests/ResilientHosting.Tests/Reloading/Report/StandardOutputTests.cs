using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>A descriptor that this process opened itself is not its standard output, whatever its number.</summary>
public sealed class StandardOutputTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("0100001", true)] // a pipe
    [InlineData("0102002", true)] // a terminal
    [InlineData("0102001", true)] // a file that is appended to
    [InlineData("02", true)] // a socket, as some supervisors give
    [InlineData("02100001", false)] // a file that the process opened to write
    [InlineData("02000002", false)] // a socket or a queue of the runtime
    [InlineData("0100000", false)] // something that can only be read
    public void IsGivenAs_FlagsOfADescriptor_TellsWhetherItWasInherited(string flags, bool given)
    {
        _folder.Write("1", $"pos:\t0\nflags:\t{flags}\nmnt_id:\t15\n");

        Assert.Equal(given, StandardOutput.IsGivenAs(_folder.Path, "1"));
    }

    [Fact]
    public void IsGivenAs_ClosedDescriptor_IsNotGiven() => Assert.False(StandardOutput.IsGivenAs(_folder.Path, "1"));

    [Fact]
    public void IsGivenAs_NoProc_IsAssumed() => Assert.True(StandardOutput.IsGivenAs(_folder.PathOf("missing"), "1"));

    [Fact]
    public void IsGivenAs_OwnFile_IsNotGiven()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Uses /proc.");
        using var file = File.Create(_folder.PathOf("source.cs"));
        var descriptor = Directory.GetFiles("/proc/self/fd").Single(path => File.ResolveLinkTarget(path, returnFinalTarget: false)?.FullName == file.Name);

        Assert.False(StandardOutput.IsGivenAs("/proc/self/fdinfo", Path.GetFileName(descriptor)));
    }
}
