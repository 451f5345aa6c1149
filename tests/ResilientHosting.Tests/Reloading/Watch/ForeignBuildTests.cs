using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class ForeignBuildTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTimeProvider _clock = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("obj/App.dll", true)]
    [InlineData("obj/App.csproj.AssemblyReference.cache", true)]
    [InlineData("bin/App.deps.json", true)]
    [InlineData("bin/App.pdb", true)]
    [InlineData("bin/app.db", false)]
    [InlineData("bin/log.txt", false)]
    [InlineData("bin/cache.json", false)]
    [InlineData("elsewhere/App.dll", false)]
    public void Find_AfterAWrite_CountsWhatBuildsWrite(string file, bool isBuild)
    {
        Write(file);
        var build = Build();

        Assert.Equal(isBuild, build.Find(_clock.GetUtcNow()) is not null);
        _clock.Advance(ForeignBuild.Quiet);
        Assert.Null(build.Find(_clock.GetUtcNow()));
    }

    [Fact]
    public void Find_DuringAndAfterAnOwnBuild_IsNothing()
    {
        var build = Build();
        using (build.BeginOwn(_clock))
        {
            Write("bin/App.dll");
            Assert.Null(build.Find(_clock.GetUtcNow()));
        }

        Assert.Null(build.Find(_clock.GetUtcNow()));
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Write("bin/App.dll");
        Assert.NotNull(build.Find(_clock.GetUtcNow()));
    }

    [Fact]
    public void Find_WithoutOutputs_IsNothing() => Assert.Null(Build().Find(_clock.GetUtcNow()));

    private ForeignBuild Build() => new(_folder.PathOf("obj"), _folder.PathOf("bin"));

    private void Write(string file) => File.SetLastWriteTimeUtc(_folder.Write(file, ""), _clock.GetUtcNow().UtcDateTime);
}
