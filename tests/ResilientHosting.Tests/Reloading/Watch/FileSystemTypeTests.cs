using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class FileSystemTypeTests
{
    [Theory]
    [InlineData("ext4", true)]
    [InlineData("overlay", true)]
    [InlineData("tmpfs", true)]
    [InlineData("NTFS", true)]
    [InlineData("apfs", true)]
    [InlineData("fuse", false)]
    [InlineData("fuse.sshfs", false)]
    [InlineData("fuse.vmhgfs-fuse", false)]
    [InlineData("nfs4", false)]
    [InlineData("cifs", false)]
    [InlineData("smb3", false)]
    [InlineData("9p", false)]
    [InlineData("v9fs", false)]
    [InlineData("virtiofs", false)]
    [InlineData("vboxsf", false)]
    [InlineData("prl_fs", false)]
    [InlineData("drvfs", false)]
    [InlineData("fakeowner", false)]
    [InlineData("grpcfuse", false)]
    [InlineData("of next year", false)]
    [InlineData(FileSystemType.Unknown, false)]
    public void TellsOfEveryChange_ByType_TrustsOnlyWhatIsLocal(string type, bool expected) =>
        Assert.Equal(expected, FileSystemType.TellsOfEveryChange(type));

    [Fact]
    public void Of_AFolderBelowAMountPoint_IsTheTypeOfTheMount()
    {
        using var folder = new TemporaryFolder();

        Assert.NotEqual(FileSystemType.Unknown, FileSystemType.Of(folder.Path));
        Assert.Equal(FileSystemType.Unknown, FileSystemType.Of(folder.PathOf("gone")));
    }
}
